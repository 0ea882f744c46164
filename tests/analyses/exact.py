"""The exact answers of the fifteen analyses, from the source files themselves: joins and rules written again by hand.

Nothing of the project is used: this is what links and derived variables are held against. Columns are those of the
answer, under the same names; NULL in a grouping that a total is summed over. `NO` is a pupil without the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

LISTS = {"regions": "la.csv", "types": "school_type.csv", "marks": "attendance_mark.csv", "days": "school_day.csv"}
"""Code lists that say what belongs to which group."""
VIEWS = """
CREATE VIEW schools2 AS SELECT *, CASE
    WHEN type IN ('7','8','10','12','33','36','44') THEN 'special' WHEN type IN ('14','38','42','43') THEN 'alternative'
    WHEN type IN ('11','37','25') THEN 'independent' WHEN type = '15' OR phase = '1' THEN 'nursery'
    WHEN phase IN ('2','3') THEN 'primary' WHEN phase IN ('4','5','7') THEN 'secondary' ELSE 'post16' END AS kind
  FROM schools;
CREATE VIEW roll AS SELECT c.*, ending(c.year) AS y, s.la, s.kind, r.region
  FROM census c JOIN schools2 s USING (school) JOIN regions r ON r.code = s.la;
CREATE VIEW spring AS SELECT * FROM roll WHERE term = 'SPR';
CREATE VIEW poor AS SELECT DISTINCT c.pupil, ending(c.year) + n AS y
  FROM census c, range(6) r(n) WHERE c.fsm_eligible = '1';
CREATE VIEW background AS SELECT s.*, CASE WHEN p.pupil IS NOT NULL OR coalesce(l.any_day, '0') = '1'
    OR coalesce(s.post_care, '') IN ('A','G','R') THEN '1' ELSE '0' END AS disadvantaged
  FROM spring s LEFT JOIN poor p USING (pupil, y) LEFT JOIN cla l USING (pupil, year);
CREATE VIEW junior AS SELECT k.*, ending(k.year) AS y,
    CASE WHEN reading_score >= 100 AND maths_score >= 100 AND writing IN ('EXS','GDS') THEN '1' ELSE '0' END AS rwm,
    (reading_points + maths_points) / 2 AS average
  FROM ks2 k;
CREATE VIEW senior AS SELECT k.*, ending(k.year) AS y, s.la, r.region, b.fsm_eligible, b.disadvantaged,
    b.sen_provision, b.ethnicity,
    (CASE english_pair WHEN '1' THEN 2 ELSE 1 END) * slot_english + 2 * slot_maths + slot_ebacc_1 + slot_ebacc_2
      + slot_ebacc_3 + slot_open_1 + slot_open_2 + slot_open_3 AS att8,
    CASE WHEN english_95 = '1' AND maths_95 = '1' THEN '1' ELSE '0' END AS em95, j.average
  FROM ks4 k JOIN schools2 s USING (school) JOIN regions r ON r.code = s.la LEFT JOIN background b USING (pupil, year)
  LEFT JOIN junior j ON j.pupil = k.pupil AND j.y = ending(k.year) - 5;
CREATE VIEW year_of_absence AS SELECT a.*, s.kind, s.la, b.fsm_eligible, authorised + unauthorised AS missed
  FROM absence_year a JOIN schools2 s USING (school) LEFT JOIN spring b USING (pupil, year) WHERE a.year = '202324';
CREATE VIEW register AS SELECT a.*, s.la, g."group", m."group" AS mark_group, d.week
  FROM attendance a JOIN schools2 s USING (school) JOIN types g ON g.code = s.type JOIN marks m ON m.code = a.mark
  JOIN days d ON d.code = a.date WHERE year = '202324';
CREATE VIEW good_level AS SELECT pupil, ending(year) AS y, CASE WHEN (
    SELECT bool_and(goal IN ('2', '3')) FROM unnest([goal13_listening, goal13_understanding, goal13_speaking,
      goal13_moving, goal13_health, goal13_self_confidence, goal13_behaviour, goal13_relationships, goal13_reading,
      goal13_writing, goal13_numbers, goal13_shapes]) g(goal)) THEN '1' ELSE '0' END AS gld
  FROM eyfsp WHERE ending(year) < 2020;
"""

MAJOR = """CASE ethnicity[1] WHEN 'W' THEN 'WHIT' WHEN 'M' THEN 'MIXD' WHEN 'A' THEN 'ASIA' WHEN 'B' THEN 'BLAC'
    WHEN 'C' THEN 'CHIN' WHEN 'O' THEN 'AOEG' ELSE 'UNCL' END"""
BAND = """CASE WHEN average < 80 THEN 'Less than 80' WHEN average < 90 THEN '80 - 89.5'
    WHEN average < 96 THEN '90 - 95.5' WHEN average < 100 THEN '96 - 99.5' WHEN average < 102.5 THEN '100 - 102'
    WHEN average < 105 THEN '102.5 - 104.5' WHEN average < 107.5 THEN '105 - 107'
    WHEN average < 110 THEN '107.5 - 109.5' WHEN average < 113.5 THEN '110 - 113'
    WHEN average < 117 THEN '113.5 - 116.5' ELSE '117 - 120' END"""
PRESENT = "mark IN ('/', chr(92), 'L', 'B', 'J', 'K', 'P', 'V', 'W')"
GROUPING = "GROUP BY GROUPING SETS"

EXACT: Mapping[str, str] = {
    "01": f"""SELECT year_group, la AS school_la, term, 'count' AS measure, count(*) AS value FROM roll WHERE y = 2024
        {GROUPING} ((year_group, la, term), (year_group, term), (term))""",
    "02": f"""SELECT la AS school_la, region AS "school_la.region", kind AS school_phase_type,
        'share' AS measure, 100.0 * avg((fsm_eligible = '1')::INT) AS value
        FROM spring WHERE y = 2024 AND kind IN ('primary', 'secondary', 'special')
        {GROUPING} ((la, kind), (region, kind), (kind), ())""",
    "03": """SELECT sen_provision, primary_need, sex, 'count' AS measure, count(*) AS value FROM spring
        WHERE y = 2024 AND sen_provision <> 'N' GROUP BY ALL""",
    "04": f"""SELECT ethnicity, la AS school_la, 'count' AS measure, count(*) AS value FROM spring WHERE y = 2024
        {GROUPING} ((ethnicity, la), (ethnicity), (la))""",
    "05": f"""WITH entered AS (SELECT {BAND} AS ks2_prior_band, s.disadvantaged AS ks4_census_disadvantaged,
          e.grade AS output
          FROM ks4_entries e JOIN senior s USING (pupil, year)
          WHERE s.y IN (2023, 2024) AND subject = 'Mathematics' AND average IS NOT NULL
            AND s.disadvantaged IS NOT NULL),
        counted AS (SELECT *, count(*) AS n FROM entered
          {GROUPING} ((ks2_prior_band, ks4_census_disadvantaged, output), (ks2_prior_band, output)))
        SELECT * EXCLUDE (n), 'distribution' AS measure,
          100.0 * n / sum(n) OVER (PARTITION BY ks2_prior_band, ks4_census_disadvantaged) AS value FROM counted""",
    "06": f"""WITH pupils AS (SELECT fsm_eligible AS census_fsm_eligible, sex, {MAJOR} AS "census_ethnicity.major", att8
          FROM senior WHERE y IN (2023, 2024) AND fsm_eligible IS NOT NULL),
        found AS (SELECT * EXCLUDE (att8), avg(att8) AS mean, stddev(att8) AS sd, quantile_disc(att8, 0.25) AS q1,
          quantile_disc(att8, 0.5) AS q2, quantile_disc(att8, 0.75) AS q3 FROM pupils
          {GROUPING} ((census_fsm_eligible, sex, "census_ethnicity.major"), (census_fsm_eligible, sex),
            (census_fsm_eligible)))
        SELECT census_fsm_eligible, sex, "census_ethnicity.major",
          unnest(['mean', 'sd', 'quarters', 'quarters', 'quarters']) AS measure,
          unnest([NULL, NULL, '0.25', '0.5', '0.75']) AS output,
          unnest([mean, sd, q1, q2, q3]) AS value FROM found""",
    "07": f"""SELECT sen_provision AS census_sen_provision, fsm_eligible AS census_fsm_eligible, 'mean' AS measure,
          avg((att8 - expected) / 10) AS value
        FROM senior ASOF JOIN prior_groups ON average <= up_to
        WHERE y IN (2023, 2024) AND fsm_eligible IS NOT NULL
        {GROUPING} ((sen_provision, fsm_eligible), (sen_provision), (fsm_eligible))""",
    "08": f"""WITH shares AS (SELECT la AS school_la, region AS "school_la.region",
          100.0 * avg((em95 = '1')::INT) AS share, 100.0 * avg((em95 = '1')::INT) FILTER (disadvantaged = '0')
            - 100.0 * avg((em95 = '1')::INT) FILTER (disadvantaged = '1') AS gap
          FROM senior WHERE y IN (2023, 2024) AND disadvantaged IS NOT NULL {GROUPING} ((la), (region), ()))
        SELECT * EXCLUDE (share, gap), unnest(['grade5', 'gap']) AS measure, unnest([share, gap]) AS value
        FROM shares""",
    "09": """SELECT coalesce(b.month_of_birth, 'no_census') AS census_month_of_birth,
        'share' AS measure, 100.0 * avg((rwm = '1')::INT) AS value
        FROM junior j LEFT JOIN spring b USING (pupil, year) WHERE j.y IN (2022, 2023, 2024) GROUP BY ALL""",
    "10": """SELECT coalesce(e.gld, 'no_eyfsp') AS eyfsp_gld,
          CASE WHEN p.pupil IS NULL THEN 'no_phonics' WHEN p.mark >= 32 THEN '1' ELSE '0' END AS phonics_met,
          rwm AS rwm_expected, 'count' AS measure, count(*) AS value
        FROM junior j LEFT JOIN good_level e ON e.pupil = j.pupil AND e.y = j.y - 6
        LEFT JOIN phonics p ON p.pupil = j.pupil AND ending(p.year) = j.y - 5 WHERE j.y IN (2023, 2024) GROUP BY ALL""",
    "11": f"""WITH found AS (SELECT fsm_eligible AS census_fsm_eligible, kind AS school_phase_type, la AS school_la,
          sum(missed) / sum(sessions_possible) AS rate,
          100.0 * avg((sessions_possible > 0 AND 10 * missed >= sessions_possible)::INT) AS persistent
          FROM year_of_absence WHERE fsm_eligible IS NOT NULL AND kind IN ('primary', 'secondary', 'special')
          {GROUPING} ((fsm_eligible, kind, la), (fsm_eligible, kind), (fsm_eligible)))
        SELECT * EXCLUDE (rate, persistent), unnest(['rate', 'persistent']) AS measure,
          unnest([rate, persistent]) AS value FROM found""",
    "12": f"""SELECT date, week AS "date.week", la AS school_la, 'rate' AS measure,
          count(*) FILTER ({PRESENT}) / count(*) AS value FROM register
        {GROUPING} ((date, la), (week, la), (week), (date))""",
    "13": """WITH shares AS (SELECT kind, missed / sessions_possible AS share FROM year_of_absence
          WHERE kind IN ('primary', 'secondary', 'special')),
        counted AS (SELECT kind AS school_phase_type,
          CASE WHEN share > 0.5 THEN '50'
            ELSE greatest(ceil(round(share * 20, 9)) * 5 - 5, 0)::INT::VARCHAR END AS output,
          count(*) AS n FROM shares GROUP BY ALL)
        SELECT school_phase_type, output, unnest(['histogram', 'distribution']) AS measure,
          unnest([n, 100.0 * n / sum(n) OVER (PARTITION BY school_phase_type)]) AS value FROM counted""",
    "14": """WITH counted AS (SELECT "group" AS "school_type.group", mark AS output, count(*) AS n FROM register
          WHERE mark_group IN ('authorised', 'unauthorised') GROUP BY ALL)
        SELECT * EXCLUDE (n), 'distribution' AS measure,
          100.0 * n / sum(n) OVER (PARTITION BY "school_type.group") AS value FROM counted""",
    "15": f"""SELECT ethnicity, {MAJOR} AS "ethnicity.major", s.sex, 'rate' AS measure,
          100.0 * avg(least(coalesce(e.suspensions, 0), 20)) AS value
        FROM spring s LEFT JOIN exclusions_year e USING (pupil, year) WHERE s.y = 2024
        {GROUPING} ((ethnicity, s.sex), ({MAJOR}), (s.sex))""",
}


class Exact:
    """Exact answers by number. files: of each data set; lists: the folder of the catalogue's code lists; expected: the
    highest average score of each prior-attainment group and its mean Attainment 8."""

    def __init__(
        self, files: Mapping[str, Sequence[Path]], lists: Path, expected: Sequence[tuple[float, float]]
    ) -> None:
        self._connection = duckdb.connect()
        run = self._connection.execute
        run("CREATE MACRO ending(year) AS left(year, 4)::INT + 1")
        for name, paths in files.items():
            shown = "*" if name == "schools" else "* RENAME (PupilMatchingRefAnonymous AS pupil)"
            run(f"CREATE TABLE {name} AS SELECT {shown} FROM read_parquet($paths)", {"paths": list(map(str, paths))})
        for name, file in LISTS.items():
            run(
                f"CREATE TABLE {name} AS SELECT * FROM read_csv($file, all_varchar = true)", {"file": str(lists / file)}
            )
        run("CREATE TABLE prior_groups (up_to DOUBLE, expected DOUBLE)")
        self._connection.executemany("INSERT INTO prior_groups VALUES (?, ?)", [list(pair) for pair in expected])
        for view in VIEWS.split(";")[:-1]:
            run(view)

    def answer(self, number: str) -> dict[frozenset[tuple[str, object]], float]:
        """{the cell's groupings, measure and output} → value; what is summed over is left out."""
        found = self._connection.execute(EXACT[number])
        names = [name for name, *_ in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return {cell(row): float(row["value"]) for row in rows if row["value"] is not None}

    def close(self) -> None:
        self._connection.close()


def cell(row: Mapping[str, object]) -> frozenset[tuple[str, object]]:
    """The part of a row that says what it is about."""
    about = {k: v for k, v in row.items() if k not in ("value", "lower", "upper", "status") and v is not None}
    return frozenset(about.items())
