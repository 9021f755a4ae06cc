/**
 * Statements that list what a schema consists of, each as `name` and `definition`. An object that
 * Trent never creates is listed too, whatever its definition.
 * @module
 */

const namespace = "'public'::regnamespace"

const byteOrder = `'pg_catalog."C"'::regcollation::oid`

/** The names of columns by number, in order. */
const columnsOf = (table: string, numbers: string): string => `
  (SELECT string_agg(coalesce(a.attname::text, '?'), ',' ORDER BY k.place)
     FROM unnest(${numbers}) WITH ORDINALITY AS k (number, place)
     LEFT JOIN pg_attribute a ON a.attrelid = ${table} AND a.attnum = k.number)`

const tables = `
  SELECT CASE c.relkind WHEN 'r' THEN 'table ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
           ELSE 'relation ' END || c.relname AS name,
    CASE c.relpersistence WHEN 'p' THEN 'permanent' ELSE 'not permanent' END
      || CASE WHEN c.relrowsecurity OR c.relforcerowsecurity THEN ' row security' ELSE '' END
      || CASE WHEN EXISTS (SELECT 1 FROM pg_rewrite WHERE ev_class = c.oid)
           THEN ' rules' ELSE '' END
      || CASE WHEN EXISTS (SELECT 1 FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
           THEN ' inherits' ELSE '' END
      || CASE WHEN q.seqincrement <> 1 OR q.seqcycle OR q.seqmin <> 1
             OR q.seqtypid <> 'int8'::regtype
           THEN ' counts otherwise' ELSE '' END AS definition
  FROM pg_class c LEFT JOIN pg_sequence q ON q.seqrelid = c.oid
  WHERE c.relnamespace = ${namespace} AND c.relkind NOT IN ('i', 'I')`

const columns = `
  SELECT 'column ' || c.relname || '.' || a.attname AS name,
    format_type(a.atttypid, a.atttypmod)
      || CASE a.attcollation WHEN 0 THEN '' WHEN ${byteOrder} THEN ' collate C'
           ELSE ' collate another' END
      || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
      || CASE WHEN a.attgenerated <> '' THEN ' generated' ELSE '' END
      || CASE WHEN a.attidentity <> '' THEN ' identity' ELSE '' END
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS definition
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE c.relnamespace = ${namespace} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped`

/** PostgreSQL 18 lists NOT NULL here too. The columns have it, except that old rows may break it. */
const constraints = `
  SELECT 'constraint ' || c.relname || '.' || n.conname AS name,
    n.contype::text || ' (' || coalesce(${columnsOf('n.conrelid', 'n.conkey')}, '') || ')'
      || CASE WHEN n.contype = 'f' THEN ' ' || f.relname || ' ('
           || ${columnsOf('n.confrelid', 'n.confkey')} || ') ' || n.confupdtype::text
           || n.confdeltype::text ELSE '' END
      || CASE WHEN n.condeferrable THEN ' deferrable' ELSE '' END
      || CASE WHEN n.convalidated THEN '' ELSE ' not valid' END AS definition
  FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
  LEFT JOIN pg_class f ON f.oid = n.confrelid
  WHERE n.connamespace = ${namespace} AND (n.contype <> 'n' OR NOT n.convalidated)`

const indexes = `
  SELECT 'index ' || c.relname || '.' || i.relname AS name,
    CASE WHEN x.indisunique THEN 'unique ' ELSE '' END
      || '(' || ${columnsOf('x.indrelid', 'x.indkey::int2[]')} || ')'
      || coalesce(' where ' || pg_get_expr(x.indpred, x.indrelid), '')
      || CASE WHEN x.indisvalid AND x.indisready AND x.indislive THEN '' ELSE ' not valid' END
      || CASE WHEN m.amname = 'btree' AND x.indnkeyatts = x.indnatts THEN '' ELSE ' of another kind' END
      || CASE WHEN EXISTS (SELECT 1 FROM unnest(x.indclass::oid[]) AS k (class)
             JOIN pg_opclass o ON o.oid = k.class WHERE NOT o.opcdefault)
           OR EXISTS (SELECT 1 FROM unnest(x.indcollation::oid[]) AS k (used)
             WHERE k.used <> 0 AND k.used <> ${byteOrder})
           OR EXISTS (SELECT 1 FROM unnest(x.indoption::int2[]) AS k (option) WHERE k.option <> 0)
           THEN ' in another order' ELSE '' END AS definition
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
  JOIN pg_am m ON m.oid = i.relam WHERE c.relnamespace = ${namespace}`

/** References have internal triggers, which can be disabled. */
const triggers = `
  SELECT 'trigger ' || c.relname || '.' || CASE WHEN t.tgisinternal THEN 'of a reference'
      ELSE t.tgname::text END AS name,
    '' AS definition
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = ${namespace} AND (NOT t.tgisinternal OR t.tgenabled <> 'O')`

const policies = `
  SELECT 'policy ' || c.relname || '.' || p.polname AS name, '' AS definition
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = ${namespace}`

/** Tables have a type each, and an array type; sequences have none. */
const others = `
  SELECT 'function ' || proname AS name, '' AS definition
    FROM pg_proc WHERE pronamespace = ${namespace}
  UNION ALL SELECT 'operator ' || oprname, '' FROM pg_operator WHERE oprnamespace = ${namespace}
  UNION ALL SELECT 'operator class ' || opcname, '' FROM pg_opclass WHERE opcnamespace = ${namespace}
  UNION ALL SELECT 'collation ' || collname, '' FROM pg_collation WHERE collnamespace = ${namespace}
  UNION ALL SELECT 'conversion ' || conname, '' FROM pg_conversion WHERE connamespace = ${namespace}
  UNION ALL SELECT 'type ' || t.typname, '' FROM pg_type t WHERE t.typnamespace = ${namespace}
    AND t.typtype <> 'c' AND NOT (t.typcategory = 'A' AND EXISTS (
      SELECT 1 FROM pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid AND e.typtype = 'c'))`

export const catalogQueries: readonly string[] = [
  tables,
  columns,
  constraints,
  indexes,
  triggers,
  policies,
  others,
]
