B
Identity:0JШHO>кцL>CK>@,L>dPL>