B
Identity:0JPKA(DAÌ¨@