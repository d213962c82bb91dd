B
Identity:0J%
L>[ЫL>zyK>щN>ьзL>