package codes

// unitTable has one UCUM code a line, and after it the other spellings, which are matched without case.
// Sources: https://ucum.org/ucum, the list of common units at https://hl7.org/fhir/R4/valueset-ucum-common.html, and what
// Chinese laboratories print. Greek μ is folded to u before, Chinese names of units to their symbols.
const unitTable = `
mmol/L mmol/liter
umol/L mcmol/L umol/liter
nmol/L
pmol/L
fmol/L
mol/L
mmol/mol
umol/mmol
mg/mmol
mg/g mg/gCr mg/g.Cr mg/gCREA
ug/g
ug/mg
umol/g
nmol/mmol
nmol/mL
pmol/mL
umol/mL
mmol/mL
g/L
g/dL
g/mL
mg/L
mg/dL mg% mg/100mL
mg/mL
ug/L mcg/L
ug/dL mcg/dL ug% ug/100mL
ug/mL mcg/mL
ng/L
ng/dL
ng/mL
pg/L
pg/dL
pg/mL
fg/mL
mg/kg
ug/kg
g/kg
mL/kg
U/L
U/mL
U/dL
kU/L
kU/mL
mU/L
mU/mL
uU/mL
uU/L
U/g
U/g{Hb} U/gHb U/g.Hb
U U/T
[IU]/L IU/L
[IU]/mL IU/mL
[IU]/dL IU/dL
k[IU]/L KIU/L
k[IU]/mL KIU/mL
m[IU]/L mIU/L
m[IU]/mL mIU/mL
u[IU]/mL uIU/mL
u[IU]/L uIU/L
[IU] IU
m[IU] mIU
[IU]/g IU/g
{copies}/uL copies/uL copy/uL 拷贝/uL
nkat/L
ukat/L
fL
pL
pg pg/个 pg/cell
fmol
mL
uL
dL
L
g gram grams
mg
ug mcg
ng
kg
mol
mmol
umol
% percent 百分比 PERCENTAGE
[ppth] ‰ 千分率
[ppm] ppm
[pH] pH pH值
10*9/L 10^9/L 109/L 10*9 10^9 G/LCELLS
10*12/L 10^12/L 1012/L 10*12 10^12
10*6/L 10^6/L 106/L
10*3/uL 10^3/uL K/uL 103/uL TH/uL THOUS/uL
10*6/uL 10^6/uL M/uL 106/uL
10*4/uL 万/uL
10*6/mL 10^6/mL 百万/mL
10*3/mL 10^3/mL
/uL 个/uL cells/uL cell/uL 个/ul /mm3 个/mm3 cells/mm3 /cumm
/mL 个/mL cells/mL
/L 个/L cells/L
/[HPF] /HP /HPF 个/HP 个/HPF HP HPF 个/HPF /hpf. 平均/HPF 个/每HPF
/[LPF] /LP /LPF 个/LP 个/LPF LP LPF
/100{WBC} /100WBC 个/100WBC /100个WBC /100白细胞 /100个白细胞
[CFU]/mL CFU/mL
[CFU]/L CFU/L
{copies}/mL copies/mL copy/mL 拷贝/mL cps/mL cp/mL copies/ml.
{titer} 滴度 效价 titer titre
{S/CO} S/CO S/C.O. S/COV S/CO值
{S/N} S/N
{COI} COI C.O.I. C.O.I
{index} index 指数 idx
{ratio} ratio 比值 比率 R
{INR} INR
{OD} OD OD值 A值 吸光度
{score} 分值 score 评分
{RLU} RLU
[arb'U]/mL AU/mL
[arb'U]/L AU/L
[arb'U] AU
{RU}/mL RU/mL
{BAU}/mL BAU/mL
{PEIU}/mL PEIU/mL PEI-U/mL
{TU}/mL TU/mL
{EU}/mL EU/mL
{NCU}/mL NCU/mL
{S.U.}/mL SU/mL
[GPL'U]/mL GPL/mL GPLU/mL GPL-U/mL
[MPL'U]/mL MPL/mL MPLU/mL MPL-U/mL
[GPL'U] GPL GPL-U
[MPL'U] MPL MPL-U
mg/L{FEU} mg/LFEU mg/L(FEU) mgFEU/L
ug/mL{FEU} ug/mLFEU ug/mL(FEU) ugFEU/mL
ug/L{FEU} ug/LFEU ug/L(FEU)
ng/mL{FEU} ng/mLFEU ng/mL(FEU) ngFEU/mL
ng/mL{DDU} ng/mLDDU ng/mL(DDU) ngDDU/mL
mm/h mm/1h mm/hr mm/hour mm/小时 mm/1hr
s sec second seconds S.
ms msec
min mins minute minutes
h hr hour hours
d 天 日 day days
wk 周 week weeks 星期
mo 月 个月 month months
a 年 岁 year years
mm[Hg] mmHg mm.Hg
cm[H2O] cmH2O
kPa
Pa
Cel degC C°
/min 次/min bpm beats/min 次/min. 次每min 拍/min 呼吸/min
/h 次/h
/d 次/d 次/日 次/天
mL/min
mL/h
mL/s
L/min
L/s
L/h
mL/min/{1.73_m2} mL/min/1.73m2 mL/min/1.73m^2 mL/(min.1.73m2) mL/min.1.73m2 mL/(min*1.73m2) mL/min*1.73m2 mL/min/1.73㎡
mL/min/m2
mg/(24.h) mg/24h mg/24hr mg/24小时 mg/24hU mg/24H尿
mg/d mg/日 mg/天
g/(24.h) g/24h g/24hr
g/d
ug/(24.h) ug/24h ug/24hr
ug/d
mmol/(24.h) mmol/24h mmol/24hr
mmol/d
umol/(24.h) umol/24h umol/24hr
nmol/(24.h) nmol/24h nmol/24hr
U/(24.h) U/24h
mL/(24.h) mL/24h
L/(24.h) L/24h
meq/L mEq/L
mosm/kg mOsm/kg mOsm/kgH2O mOsm/kg.H2O mosm/(kg.H2O) mOsm/(kg.H2O) mosm/kg.h2o.
mosm/L mOsm/L
kg/m2 kg/m^2
m2 m^2
cm2 cm^2
mm2 mm^2
cm3 cm^3
mm3 mm^3
m
cm
mm
um
nm
dB
Hz
mV
uV
V
mA
W
kJ
kcal
J
Gy
cGy
mGy
mSv
Bq
MBq
mCi
ug/min
ug/kg/min
mg/kg/d
mg/min
mg/h
g/h
U/h
mm[Hg]/s mmHg/s
m/s
cm/s
mm/s
kPa/s
mL/mm[Hg] mL/mmHg
L/min/m2
[drp] 滴
{tbl} 片 tab tablet
{cap} 粒 capsule
{ampule} 支 amp
{vial} 瓶
{bag} 袋
{box} 盒
{times} 次
{count} 个
{beats} 搏
%{activity} %活性 %act
`
