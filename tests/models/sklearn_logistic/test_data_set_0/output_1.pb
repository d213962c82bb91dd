BprobabilitiesJњж}?аX<@тс=ёБa?`
*<ЦW}?