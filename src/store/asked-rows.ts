/**
 * Compares every row with the conditions of its query. A changed collation or a damaged index can
 * make the database return `alias/PAYMENTS` for `alias/payments`, and that row has a valid tag.
 *
 * INVARIANT (asked rows): a row is used only if each column has the value that the query asked for.
 * Otherwise a row with a tag loses it, so that it counts as forged, and a row without one fails its
 * query.
 * @module
 */
import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  DeleteQueryNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  PrimitiveValueListNode,
  ReferenceNode,
  type RootOperationNode,
  SelectQueryNode,
  UpdateQueryNode,
  ValueNode,
} from 'kysely'
import { StrayRow } from './database.ts'

/** A column, and whether the query allows a value of it. */
interface Asked {
  readonly column: string
  readonly allows: (found: unknown) => boolean
}

const noTag = new Uint8Array(0)

/** @param node the query that returned `rows` @throws {StrayRow} for a wrong row without a tag */
export function checkAskedRows<Row extends Readonly<Record<string, unknown>>>(
  node: RootOperationNode,
  rows: readonly Row[],
): readonly Row[] {
  if (rows.length === 0) return rows
  const asked = conditionsOf(node)
  return asked.length === 0 ? rows : rows.map((row) => checked(row, asked))
}

function checked<Row extends Readonly<Record<string, unknown>>>(
  row: Row,
  asked: readonly Asked[],
): Row {
  const stray = asked.find(({ column, allows }) => column in row && !allows(row[column]))
  if (stray === undefined) return row
  if ('row_tag' in row) return { ...row, row_tag: noTag }
  throw new StrayRow(
    `the database answered a row with another ${stray.column} than was asked for: ` +
      'stop the server and run `trent verify-database`',
  )
}

function isSame(asked: unknown, found: unknown): boolean {
  if (asked instanceof Uint8Array && found instanceof Uint8Array) {
    return Buffer.compare(asked, found) === 0
  }
  return asked === found
}

/**
 * The conditions on one table that every row must meet: `column = value` and `column in (values)`.
 */
function conditionsOf(node: RootOperationNode): readonly Asked[] {
  if (SelectQueryNode.is(node)) {
    // Columns of joined tables share names, and a count has no columns to compare.
    if (node.where === undefined || node.joins !== undefined) return []
    const renamed = new Set(
      (node.selections ?? []).flatMap(({ selection }) =>
        AliasNode.is(selection) && 'name' in selection.alias ? [selection.alias.name] : [],
      ),
    )
    return equalities(node.where.where).filter(({ column }) => !renamed.has(column))
  }
  if (DeleteQueryNode.is(node)) {
    return node.where === undefined ? [] : equalities(node.where.where)
  }
  if (!UpdateQueryNode.is(node) || node.where === undefined) return []
  const updated = new Set(
    (node.updates ?? []).map(({ column }) => (ColumnNode.is(column) ? column.column.name : '')),
  )
  return equalities(node.where.where).filter(({ column }) => !updated.has(column))
}

function equalities(node: OperationNode): readonly Asked[] {
  if (ParensNode.is(node)) return equalities(node.node)
  if (AndNode.is(node)) return [...equalities(node.left), ...equalities(node.right)]
  if (!BinaryOperationNode.is(node)) return []
  const { leftOperand, operator, rightOperand } = node
  if (!ReferenceNode.is(leftOperand) || !ColumnNode.is(leftOperand.column)) return []
  const column = leftOperand.column.column.name
  if (!OperatorNode.is(operator)) return []
  if (operator.operator === '=' && ValueNode.is(rightOperand)) {
    const { value } = rightOperand
    return [{ column, allows: (found) => isSame(value, found) }]
  }
  if (operator.operator === 'in' && PrimitiveValueListNode.is(rightOperand)) {
    const { values } = rightOperand
    const named = new Set(values)
    const allows = (found: unknown): boolean =>
      named.has(found) || values.some((value) => isSame(value, found))
    return [{ column, allows }]
  }
  return []
}
