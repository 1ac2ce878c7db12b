"""Small issues to look at: one with everything that is too wide for a telephone, and three more languages."""

AWKWARD = """\
---
title: Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz
language: en
date: 2018-12-14
---

# Sections {#one}

## A headline with https://example.org/an/address/that/does/not/end/before/the/edge/of/any/telephone {#long}

| Country | Cooperatives | Members | Employees | Turnover | Founded |
|---|---|---|---|---|---|
| Liechtenstein | 1,234,567 | 12,345,678 | 123,456 | CHF 1,234,567,890 | 1844-12-21 |

    a line of code that goes on and on and on and on and on and on and on and on and on and on and on

> Decent work sums up the aspirations of people in their working lives.

### A heading inside a story

[https://example.org/another/address/that/is/shown/as/it/is/and/is/quite/long](https://example.org/another)

## A meeting with a beginning and a place {#event date=2019-01-10T09:00+02:00/2019-02-11T17:30+02:00 place="@PLACE@"}

At last.
""".replace("@PLACE@", "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch")

ARABIC = """\
---
title: نشرة المنشآت
language: ar
date: 2018-12-14
---

مرحبا بكم في عدد كانون الأول.

# أهم الأخبار {#news}

## التعاونيات تحصل على مبادئ توجيهية {#coops topics=cooperatives}

اعتمد المؤتمر [المبادئ التوجيهية](https://example.org/guidelines) في جنيف:

- توعية بالمعايير الدولية؛
- تبادل الممارسات الجيدة.

[اقرأ التقرير عن التعاونيات](https://example.org/report){.button}

## مؤتمر وزاري {#page date=2019-01-10/2019-01-11 place="كيب تاون"}

يجمع المؤتمر نحو 500 مندوب.
"""

FRENCH = """\
---
title: Bulletin des entreprises
language: fr
date: 2018-12-14
---

# À la une {#une}

## Des statistiques pour les coopératives {#coops topics=cooperatives,green-jobs}

La conférence a adopté des [principes directeurs](https://example.org/principes).

[Lire le rapport sur les coopératives](https://example.org/rapport){.button}
"""

SPANISH = """\
---
title: Boletín de empresas
language: es
date: 2018-12-14
---

# Destacados {#destacados}

## Estadísticas para las cooperativas {#coops topics=cooperatives}

La conferencia adoptó unas [directrices](https://example.org/directrices).

[Leer el informe sobre cooperativas](https://example.org/informe){.button}
"""

MIXED = """\
---
title: Enterprises Newsletter
date: 2019-01-14
subject: A guide in Arabic
---

Welcome.

# News

## دليل جديد للتعاونيات {#dalil topics=cooperatives lang=ar}

يشرح هذا الدليل كيف تؤسس تعاونية في عشر خطوات.

- من الاجتماع الأول حتى التسجيل

> نماذج للنظام الأساسي

<table><tr><td>واحد</td></tr></table>

## A story in English {#english topics=cooperatives}

It is followed by nothing.
"""
