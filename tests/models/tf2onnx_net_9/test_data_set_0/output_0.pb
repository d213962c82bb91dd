B
Identity:0J°8O>_’P>³^O>kN>ÐÇB>