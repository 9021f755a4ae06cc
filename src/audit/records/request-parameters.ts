/** The parameters of a call, as its record names them. @module */
import { auditDate } from '../../model/audit-date.ts'
import { lowerFirst } from '../../model/shape.ts'
import type { Operation } from '../../operations/contract/operation.ts'
import type { Audited } from './audited.ts'

/** JSON: an object, or `null` when there is nothing to record. */
export function parametersOf({
  input,
  operation,
  outcome,
}: Pick<Audited, 'input' | 'operation' | 'outcome'>): string {
  // AWS records no parameters for a call that names something that does not exist.
  if (input === undefined || (!outcome.ok && outcome.code === 'NotFoundException')) return 'null'
  // The audit list names members of the operation's own input, which its shapes have checked.
  const defaults = operation.auditDefaults?.(input)
  const recorded = recordedMembers(operation)
  let members = ''
  for (const name in defaults) {
    const given = recorded.find((member) => member.name === name)?.given ?? ''
    members += memberText(
      `,"${name}":`,
      Object.hasOwn(input, given) ? input[given] : defaults[name],
    )
  }
  for (const { name, given, before } of recorded) {
    const isAbsent = !Object.hasOwn(input, given)
    if (isAbsent || (defaults !== undefined && Object.hasOwn(defaults, name))) continue
    members += memberText(before, input[given])
  }
  return members === '' ? 'null' : `{${members.slice(1)}}`
}

interface RecordedMember {
  /** In the record. */
  readonly name: string
  /** In the input. */
  readonly given: string
  /** JSON up to the value. */
  readonly before: string
}

const membersByOperation = new WeakMap<Operation, readonly RecordedMember[]>()

function recordedMembers(operation: Operation): readonly RecordedMember[] {
  const known = membersByOperation.get(operation)
  if (known !== undefined) return known
  const members = operation.audit.map((given) => {
    const name = lowerFirst(given)
    return { name, given, before: `,"${name}":` }
  })
  membersByOperation.set(operation, members)
  return members
}

/** Empty if the value is undefined. */
function memberText(before: string, value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return before + JSON.stringify(value)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== null) {
    return before + JSON.stringify(camelCased(value))
  }
  // JSON.stringify takes twice the time for an object without a prototype.
  let pairs = ''
  for (const [name, item] of Object.entries(value)) {
    pairs += `,${JSON.stringify(name)}:${JSON.stringify(item)}`
  }
  return `${before}{${pairs.slice(1)}}`
}

/**
 * Member names of structures become camelCase; the keys of an encryption context stay as the caller
 * sent them.
 */
export function camelCased(value: unknown): unknown {
  if (value instanceof Date) return auditDate(value)
  if (Array.isArray(value)) return value.map(camelCased)
  if (typeof value === 'object' && value !== null) {
    if (Object.getPrototypeOf(value) === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [lowerFirst(name), camelCased(item)]),
    )
  }
  return value
}
