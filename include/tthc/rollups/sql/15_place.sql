-- Grain: unit, span of days between two changes of it, share. Where on today's boundary the dossiers go that the unit
-- received in the span, over as many mergers and splits as followed (`of_dossiers`), and where its forms go, which no
-- weight can divide. A dossier has one place: the span that holds its day of receipt, the share that holds its point.
-- `parts`: where it stays undivided, the units of today whose territory it is part of, and whose figures lack it.
create temporary table place on commit drop as
with recursive
unit as (
    select * from ref.unit where level <> 'province'
),
change as (  -- what became of a unit on a day: all of it went into another, or it was split, with weights or without
    select
        old_code, effective_date, count(*) = 1 and not bool_or(is_partial) as is_whole,
        count(weight) = count(*) as is_weighted
    from ref.unit_succession
    group by old_code, effective_date
),
hop as (
    -- A part from share_from to share_to of what a unit had goes into another.
    select
        step.old_code, step.effective_date, step.new_code, change.is_whole, true as of_dossiers,
        change.is_whole as of_forms, not change.is_whole as is_weighted, false as is_split,
        -- only where nothing else came or went is the territory the same as before
        step.new_code <> step.old_code or exists (
            select from ref.unit_succession as other
            where (other.new_code, other.effective_date) = (step.new_code, step.effective_date)
            and other.old_code <> step.old_code
        ) as is_moved,
        case when change.is_whole then 0 else
            sum(step.weight) over shares - step.weight end as share_from,
        case when change.is_whole then 1 else sum(step.weight) over shares end as share_to
    from ref.unit_succession as step
    join change using (old_code, effective_date)
    where change.is_whole or change.is_weighted
    window shares as (partition by step.old_code, step.effective_date order by step.new_code collate "C")
    union all
    -- What nobody has divided stays with the unit that was split.
    select old_code, effective_date, old_code, false, not is_weighted, true, false, true, false, 0, 1
    from change
    where not is_whole
),
part as (  -- a split, unit that got a part of it, then the units into which that went
    select
        step.old_code, step.effective_date, step.new_code as unit_code,
        (select min(later.effective_date) from change as later
        where later.old_code = step.new_code and later.effective_date > step.effective_date) as next_on
    from ref.unit_succession as step
    join change using (old_code, effective_date)
    where not change.is_whole and step.new_code <> step.old_code
    union
    select
        part.old_code, part.effective_date, hop.new_code,
        case when not hop.is_split then (
            select min(later.effective_date) from change as later
            where later.old_code = hop.new_code and later.effective_date > hop.effective_date
        ) end
    from part
    join hop on hop.old_code = part.unit_code and hop.effective_date = part.next_on and hop.of_dossiers
),
edge as (
    select unit_code, date '0001-01-01' as since from unit
    union
    select unit_code, '0001-01-01' from core.delivery_unit  -- a unit that is no longer in units.csv still has dossiers
    union
    select old_code, effective_date from change
    where exists (
        select from unit
        where unit.unit_code = change.old_code and change.effective_date between unit.valid_from and unit.valid_to
    )
    union
    select unit_code, valid_from from unit
),
span as (
    select unit_code, since, lead(since, 1, 'infinity') over (partition by unit_code order by since) as until
    from edge
),
walk as (
    select
        span.unit_code, span.since, kind.of_dossiers, span.unit_code as current_code,
        (select min(effective_date) from change where old_code = span.unit_code and effective_date > span.since) as next_on,
        0::numeric as share_from, 1::numeric as share_to, false as is_moved, false as is_split, false as is_weighted,
        null::date as split_on
    from span
    cross join (values (true), (false)) as kind (of_dossiers)
    union all
    select
        walk.unit_code, walk.since, walk.of_dossiers, hop.new_code,
        case when not hop.is_split then (
            select min(effective_date) from change
            where old_code = hop.new_code and effective_date > hop.effective_date
        ) end,
        walk.share_from + (walk.share_to - walk.share_from) * hop.share_from,
        walk.share_from + (walk.share_to - walk.share_from) * hop.share_to,
        walk.is_moved or hop.is_whole and hop.is_moved,
        hop.is_split,
        walk.is_weighted or hop.is_weighted,
        case when hop.is_split then hop.effective_date end
    from walk
    join hop on hop.old_code = walk.current_code and hop.effective_date = walk.next_on
        and case when walk.of_dossiers then hop.of_dossiers else hop.of_forms end
)
select
    row_number() over ()::int as place_id,
    walk.unit_code,
    span.since,
    span.until,
    walk.of_dossiers,
    walk.current_code,
    ceil(walk.share_from * 4294967296)::bigint as share_from,
    ceil(walk.share_to * 4294967296)::bigint as share_to,
    walk.is_moved,
    walk.is_split,
    array(
        select distinct part.unit_code from part
        where part.old_code = walk.current_code and part.effective_date = walk.split_on and part.next_on is null
        and part.unit_code <> walk.current_code
    ) as parts,
    walk.is_weighted,
    trim_scale(walk.share_to - walk.share_from) as weight,
    reused.reused_from,
    former.unit_code as former_province
from walk
join span using (unit_code, since)
cross join lateral (  -- from when on the code means another territory than in this span
    select min(greatest(change.effective_date, unit.valid_from)) as reused_from
    from change
    join unit on unit.unit_code = change.old_code and unit.valid_to >= change.effective_date
    where change.old_code = walk.unit_code
    and change.effective_date > walk.since
    and not exists (
        select from hop
        where (hop.old_code, hop.effective_date) = (change.old_code, change.effective_date)
        and hop.is_whole and not hop.is_moved
    )
) as reused
left join lateral (  -- the province the unit belonged to in this span, if another than today's
    select parent.unit_code
    from (
        select unit.parent_code
        from unit
        where unit.unit_code = walk.unit_code
        order by unit.valid_from <= walk.since desc, case when unit.valid_from <= walk.since then unit.valid_from end desc,
            unit.valid_from
        limit 1
    ) as own
    join ref.unit as parent on parent.unit_code = own.parent_code and parent.level = 'province'
    where parent.unit_code <> (select province from tonight)
    limit 1
) as former on true
where walk.next_on is null or walk.is_split
