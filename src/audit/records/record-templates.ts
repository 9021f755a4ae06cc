/**
 * Templates of the records that successful calls leave: the text between the members that differ from one
 * call to the next. Callers use the same keys again and again, and joining five texts takes half the time
 * of rendering a record.
 *
 * INVARIANT (one renderer): a template is cut from a rendered record, so it has that record's bytes. It
 * serves only calls that equal the rendered one in every member that is not filled in.
 * @module
 */
import { randomUUID } from 'node:crypto'
import type { RecordFacts } from '../../model/audit-event.ts'
import type { Caller } from '../../model/caller.ts'
import type { Operation } from '../../operations/contract/operation.ts'
import type { Audited } from './audited.ts'
import { commonFacts, factsOfCall } from './record-facts.ts'

/** The members that a template leaves open. Only the parameters are JSON. */
export interface OpenMembers {
  readonly eventTime: string
  readonly requestParameters: string
  readonly requestID: string
  readonly eventID: string
}

/** Renders a record with `hole` as each of its open members. */
export type Render = (audited: Audited) => string

/** Nobody can guess it and put it into a record. */
export const hole = randomUUID()

/** The members that a template's calls have in common. It holds none of the input. */
type Common = Pick<Audited, ComparedMember>

type OpenMember = 'time' | 'input' | 'requestId' | 'eventId'
/** Calls that have one of these get no template. */
type RareMember =
  | 'recipient'
  | 'keyStore'
  | 'keyEvents'
  | 'sharedEventId'
  | 'owner'
  | 'refusals'
  | 'outcome'
type FoundByMember = 'caller' | 'operation'
/** Whoever adds a member must compare it in `isAlike`: an object without it does not compile. */
type ComparedMember = Exclude<keyof Audited, OpenMember | RareMember | FoundByMember>

interface Template {
  readonly common: Required<Common>
  /** JSON. */
  readonly reasons: string
  readonly texts: Texts
  /** JSON up to the facts of the parameters. */
  readonly facts: string
}

/** Before, between and behind the open members. */
type Texts = readonly [string, string, string, string, string]

/** A template takes about 2 KB. */
const templatesMax = 1024
/** By the ARN of the key. The first call with a key leaves `undefined`, the second a template. */
type ByKey = Map<string, Template | undefined>

/** A record as one JSON text without line breaks. */
export interface RenderedRecord {
  readonly record: string
  /** Absent if they must be read from the record: for calls without a template. */
  readonly facts?: RecordFacts
}

/** Fills in the open members of a call's record. */
export function renderByTemplates(
  render: Render,
): (audited: Audited, open: OpenMembers) => RenderedRecord {
  let byCaller = new WeakMap<Caller, Map<Operation, ByKey>>()
  let count = 0
  /** Keeps a template from the second call with the same key on. */
  const learn = (audited: Audited, arn: string, template: () => Template): void => {
    const { caller, operation } = audited
    const operations = byCaller.get(caller) ?? new Map<Operation, ByKey>()
    const keys = operations.get(operation) ?? new Map<string, Template | undefined>()
    if (keys.has(arn)) keys.set(arn, template())
    else if (count === templatesMax) {
      byCaller = new WeakMap()
      count = 0
    } else {
      count += 1
      keys.set(arn, undefined)
      byCaller.set(caller, operations.set(operation, keys))
    }
  }
  return (audited, open) => {
    const { resources, caller, operation } = audited
    const [resource] = resources
    if (resource === undefined || !isUsual(audited)) {
      return { record: filled(cut(render(audited)), open) }
    }
    const known = byCaller.get(caller)?.get(operation)?.get(resource.arn)
    const reasons = JSON.stringify(audited.reasons)
    if (known?.reasons === reasons && isAlike(known.common, audited)) {
      return { record: filled(known.texts, open), facts: factsOf(known, audited) }
    }
    const record = render(audited)
    const texts = cut(record)
    learn(audited, resource.arn, () => {
      return { common: commonOf(audited), reasons, texts, facts: commonFacts(record) }
    })
    return { record: filled(texts, open) }
  }
}

function factsOf({ facts }: Template, audited: Audited): RecordFacts {
  // The record has whole seconds.
  return { members: factsOfCall(facts, audited), time: Math.floor(audited.time / 1000) * 1000 }
}

function cut(record: string): Texts {
  return record.split(`"${hole}"`) as unknown as Texts // one more than there are open members
}

function filled([first, second, third, fourth, last]: Texts, open: OpenMembers): string {
  return (
    `${first}"${open.eventTime}"${second}${open.requestParameters}` +
    `${third}"${open.requestID}"${fourth}"${open.eventID}"${last}`
  )
}

/** STS puts the request's id into another member as well. */
function isUsual(audited: Audited): boolean {
  const { outcome, keyEvents } = audited
  return (
    audited.resources.length === 1 &&
    outcome.ok &&
    outcome.response === undefined &&
    audited.operation.service !== 'sts' &&
    audited.recipient === undefined &&
    audited.keyStore === undefined &&
    (keyEvents === undefined || keyEvents.length === 0) &&
    audited.sharedEventId === undefined &&
    audited.owner === undefined &&
    audited.refusals === undefined
  )
}

function commonOf(audited: Audited): Required<Common> {
  const { region, sourceAddress, secure = true, userAgent, tls } = audited
  const { grantId, materials, resources, reasons } = audited
  return {
    region,
    sourceAddress,
    secure,
    userAgent,
    tls,
    grantId,
    materials,
    resources,
    reasons,
  }
}

/** Whether the calls have the same compared members. The caller of it compares the reasons. */
function isAlike(common: Required<Common>, audited: Audited): boolean {
  const [known] = common.resources
  const [resource] = audited.resources
  const { tls, materials } = audited
  return (
    known?.accountId === resource?.accountId &&
    known?.type === resource?.type &&
    common.region === audited.region &&
    common.sourceAddress === audited.sourceAddress &&
    common.userAgent === audited.userAgent &&
    common.secure === (audited.secure ?? true) &&
    common.grantId === audited.grantId &&
    common.materials?.keyMaterialId === materials?.keyMaterialId &&
    common.materials?.sourceKeyMaterialId === materials?.sourceKeyMaterialId &&
    common.materials?.destinationKeyMaterialId === materials?.destinationKeyMaterialId &&
    common.tls?.tlsVersion === tls?.tlsVersion &&
    common.tls?.cipherSuite === tls?.cipherSuite &&
    common.tls?.clientProvidedHostHeader === tls?.clientProvidedHostHeader
  )
}
