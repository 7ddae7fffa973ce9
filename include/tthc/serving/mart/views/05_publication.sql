create view mart.publication as
select
    publication.publication_id,
    publication.published_at,
    publication.night,
    current_publication.publication_id is not null as is_current,
    publication.based_on
from rollup.publication
left join rollup.current_publication using (publication_id);
