-- What snapshots of sqlite are taken of: a task for its shell.
.output /dev/null
.open :memory:
pragma cache_size = 20;
create table item(id integer primary key, kind text, weight real, note text);
create table part(item integer references item(id), name text collate nocase, amount int check (amount >= 0));
with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)
  insert into item select i, 'kind ' || (i % 17), i * 1.37, hex(randomblob(20)) from n;
insert into part select id, printf('part %05d %s', id * 7919 % 4001, kind), abs(random() % 1000) from item, (select 1 union select 2);
create index part_name on part(name, amount);
create index item_kind on item(kind, weight desc);
create view heavy as select kind, sum(weight) as total, count(*) as n from item group by kind having total > 10;
create trigger changed after update on item when new.weight > 5000 begin update part set amount = amount + 1 where item = new.id; end;
analyze;
select h.kind, h.total, p.name, p.amount from heavy h join item i on i.kind = h.kind left join part p on p.item = i.id
  where p.name like '%7_0%kind%' or p.amount between 3 and 30 order by p.name desc, h.total limit 50;
select kind, weight, sum(weight) over (partition by kind order by weight rows between 2 preceding and current row) from item
  where id in (select item from part where amount > 500) order by 3 desc limit 20;
select json_extract(json_group_array(json_object('id', id, 'kind', kind, 'w', weight)), '$[7].kind') from item where id < 400;
update item set weight = weight * 1.01 where id % 3 = 0;
delete from part where item in (select id from item where kind glob 'kind [1-3]*');
alter table item rename column note to remark;
with recursive tree(id, depth, path) as (select 1, 0, '1' union all
  select id * 2 + k, depth + 1, path || '/' || (id * 2 + k) from tree, (select 0 as k union select 1) where depth < 9)
  select count(*), max(length(path)), group_concat(id, '-') from tree where depth = 9;
select strftime('%Y-%m-%d', 2450000 + id), round(weight, 3), substr(remark, -5), replace(kind, 'kind', 'sort') from item order by remark limit 40;
vacuum;
pragma integrity_check;
