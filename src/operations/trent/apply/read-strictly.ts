/**
 * Reads a document against its shape, more strictly than AWS reads requests. Unknown members, which may be
 * misspelt, and values of another type are errors. The error names the place of the first fault.
 * @module
 */
import type { KmsError } from '../../../errors.ts'
import type { Constraint, Member, ShapeFailure } from '../../../model/shape.ts'
import { nearest } from '../../../model/nearest.ts'
import { visible } from '../../../model/visible.ts'
import { type DocumentPath, refusalAt } from './document-path.ts'

/** @throws {KmsError} `ValidationException`, at the place of the first fault */
export function readStrictly<T>(member: Member<T>, value: unknown): T {
  requireKind(member, value, [])
  const failures: ShapeFailure[] = []
  const read = member.read(value, '', failures)
  const [failure] = failures
  if (failure !== undefined) throw refusalOf(failure)
  return read
}

/** Accepts any JSON value, which later code reads. */
export function anything(): Member<unknown, false> {
  return { required: false, hidden: 'shown', limits: { type: 'map' }, read: (value) => value }
}

/** Accepts a map of any JSON values with free names. */
export function anythingByName(): Member<Readonly<Record<string, unknown>>, false> {
  const read = (value: unknown): Readonly<Record<string, unknown>> =>
    value as Readonly<Record<string, unknown>> // `requireKind` checked that it is an object
  return { required: false, hidden: 'shown', limits: { type: 'map', member: anything() }, read }
}

/** @throws {KmsError} `ValidationException` */
function requireKind({ limits }: Member<unknown>, value: unknown, place: DocumentPath): void {
  const { type, members, member } = limits
  if (type === 'structure' && members !== undefined) {
    for (const [name, item] of entriesOf(value, place)) {
      const known = Object.hasOwn(members, name) ? members[name] : undefined
      if (known === undefined) {
        const names = Object.keys(members)
        const near = nearest(name, names)
        const meant = near === undefined ? `possible: ${names.join(', ')}` : `did you mean ${near}?`
        throw refusalAt([...place, name], `has the unknown name \`${visible(name)}\`; ${meant}`)
      }
      if (item !== null) requireKind(known, item, [...place, name])
    }
  } else if (type === 'list' && member !== undefined) {
    if (!Array.isArray(value)) throw refusalAt(place, 'must be a list')
    for (const [index, item] of value.entries()) {
      if (item === null) throw refusalAt([...place, index], 'must not be empty')
      requireKind(member, item, [...place, index])
    }
  } else if (type === 'map') {
    // A map without a `member` accepts any value.
    if (member === undefined) return
    for (const [name, item] of entriesOf(value, place)) requireKind(member, item, [...place, name])
  } else requireScalar(type, value, place)
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function requireScalar(type: string, value: unknown, place: DocumentPath): void {
  if (type === 'integer') {
    if (!Number.isSafeInteger(value)) throw refusalAt(place, 'must be a whole number')
  } else if (type === 'boolean') {
    if (typeof value !== 'boolean') throw refusalAt(place, 'must be true or false')
  } else if (typeof value !== 'string') {
    throw refusalAt(place, 'must be a string: quote values such as 123 or true')
  } else if (type === 'blob' && !base64.test(value)) {
    throw refusalAt(place, 'must be base64')
  }
}

function entriesOf(value: unknown, place: DocumentPath): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value)
  }
  throw refusalAt(place, 'must hold names and values')
}

/** Converts a shape failure. Members of the document begin with a lower-case letter, so AWS's path fits. */
function refusalOf({ path, value, constraint }: ShapeFailure): KmsError {
  const steps = path.split('.').filter((step) => step !== '')
  const place = steps.flatMap((step, index) => {
    if (step === 'member' && /^\d+$/.test(steps[index - 1] ?? '')) return []
    return [steps[index + 1] === 'member' && /^\d+$/.test(step) ? Number(step) - 1 : step]
  })
  const shown = typeof value === 'string' && value.length <= 64 ? `\`${value}\` ` : ''
  return refusalAt(place, `${shown}${said(constraint)}`)
}

function said(constraint: Constraint): string {
  switch (constraint.kind) {
    case 'required':
      return 'is needed'
    case 'pattern':
      return `must match ${constraint.pattern}`
    case 'enum':
      return `must be one of ${constraint.values.join(', ')}`
    case 'minLength':
      return `must have a length of at least ${constraint.limit}`
    case 'maxLength':
      return `must have a length of at most ${constraint.limit}`
    case 'minValue':
      return `must be at least ${constraint.limit}`
    case 'maxValue':
      break
  }
  return `must be at most ${constraint.limit}`
}
