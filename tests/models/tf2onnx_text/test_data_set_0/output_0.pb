B
Identity:0Jã¦V>¶SÈ½„w¾