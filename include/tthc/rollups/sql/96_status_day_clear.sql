delete from rollup.status_day where night = (select night from tonight)
