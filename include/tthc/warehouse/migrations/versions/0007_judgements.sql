-- Grain: batch of files (delivery_id: its first) or night of figures, expectation of a suite.
create table core.judgement (
    judgement_id bigint generated always as identity primary key,
    night date not null,
    source_id text not null,  -- 'figures' where figures were judged
    delivery_id bigint references core.delivery,
    suite text not null,
    position int not null,  -- of the expectation in its suite, from 1
    rule_id text not null,
    rows_judged bigint not null,  -- 0: the rule met nothing to judge
    rows_failed bigint not null
);
create index on core.judgement (night, source_id);
