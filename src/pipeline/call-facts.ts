/**
 * What has been learnt of one call, and the records that this makes.
 * @module
 */
import {
  callRecords,
  copyIdOf,
  otherOwners,
  type FinishedRecord,
  type Further,
  type IdOf,
} from '../audit/records/call-records.ts'
import type { KeyEvent } from '../audit/records/key-events.ts'
import { accountOf, furtherRecord, type Audited, type TlsDetails } from '../audit/records/record.ts'
import { keyServiceRecord } from '../audit/records/service-record.ts'
import { KmsError } from '../errors.ts'
import type { RefusedUse } from '../events/refused-uses.ts'
import type { Caller } from '../model/caller.ts'
import type { Clock, Random } from '../model/clock.ts'
import { keyArn, type KeyRecord } from '../model/key.ts'
import { globalRegionOf } from '../model/region.ts'
import type { FurtherEvent } from '../model/further-event.ts'
import type { Operation } from '../operations/contract/operation.ts'
import type { RequestScope } from '../model/identifiers.ts'
import type { Recipient } from '../resolve/recipient.ts'
import { firstHeader } from '../wire/headers.ts'
import type { RawRequest } from '../wire/request.ts'
import type { Origin, UsedMaterials } from '../operations/contract/call.ts'

type Given = Readonly<Record<string, unknown>>

/** What is known of a call before anything of its body is read. */
export interface Opening {
  readonly operation: Operation
  readonly caller: Caller
  readonly scope: RequestScope
  readonly request: RawRequest
  readonly requestId: string
}

/** What has been learnt of a call so far: all that its record will say. */
export interface Trail {
  readonly eventId: string
  readonly idOf: IdOf
  readonly origin: Origin
  readonly tls: TlsDetails | undefined
  authorized: boolean
  input: Given | undefined
  recipient: Recipient | undefined
  keyArns: Readonly<Record<string, string>>
  resources: Audited['resources']
  reasons: Audited['reasons'][number][]
  /** Permissions that were decided on about what is another account's. */
  foreignActions: Set<string>
  /** The grant that the call names, where it names it by a token. */
  grantId: string | undefined
  materials: UsedMaterials | undefined
  /** The uses that the call counts as once it has succeeded. */
  keyEvents: readonly KeyEvent[]
  /** The key whose state refused the call. */
  refusing: KeyRecord | undefined
  further: readonly FurtherEvent[]
  /** The time of the record, once there is one. */
  recordedAt: number
  /** The records that were committed with the call's change. */
  committed: readonly FinishedRecord[] | undefined
  /** The store went away before it said whether the change was committed. */
  fateUnknown: boolean
}

export function newTrail(request: RawRequest, random: Random): Trail {
  return {
    eventId: random.uuid(),
    idOf: createIds(random),
    origin: {
      sourceAddress: request.remoteAddress,
      secure: request.secure,
      userAgent: firstHeader(request.rawHeaders, 'user-agent'),
      referer: firstHeader(request.rawHeaders, 'referer'),
    },
    tls: tlsDetails(request),
    authorized: false,
    input: undefined,
    recipient: undefined,
    keyArns: {},
    resources: [],
    reasons: [],
    foreignActions: new Set(),
    grantId: undefined,
    materials: undefined,
    keyEvents: [],
    refusing: undefined,
    further: [],
    recordedAt: 0,
    committed: undefined,
    fateUnknown: false,
  }
}

export function recordsOf(
  outcome: Audited['outcome'],
  opening: Opening,
  trail: Trail,
  clock: Clock,
): readonly FinishedRecord[] {
  const audited = auditedOf(outcome, opening, trail, clock)
  const owners = isAllowed(outcome, trail) ? otherOwners(trail.resources, opening.caller) : []
  const { partition } = opening.scope
  const further = trail.further.map((event) => furtherOf(event, partition, trail.recordedAt))
  return callRecords(audited, owners, further, trail.idOf)
}

function isAllowed(outcome: Audited['outcome'], { authorized }: Trail): boolean {
  return authorized && (outcome.ok || outcome.code !== 'AccessDeniedException')
}

/** All that a call's own record says. */
export function auditedOf(
  outcome: Audited['outcome'],
  opening: Opening,
  trail: Trail,
  clock: Clock,
): Audited {
  const { operation, caller, scope, requestId } = opening
  const { eventId, origin, tls, input, resources, idOf } = trail
  trail.recordedAt = clock.now()
  return {
    eventId,
    requestId,
    time: trail.recordedAt,
    operation,
    caller,
    region: operation.service === 'iam' ? globalRegionOf(scope) : scope.region,
    ...origin,
    tls,
    input,
    ...(isAllowed(outcome, trail)
      ? { resources, reasons: trail.reasons, grantId: trail.grantId }
      : toldOfRefused(opening, trail)),
    recipient: trail.recipient?.audited,
    materials: trail.materials,
    keyEvents: trail.keyEvents
      .filter((event) => event.eventId !== eventId && !isCopy(event, idOf))
      .map(({ key, eventId: id }) => ({
        arn: keyArn(scope.partition, key),
        accountId: key.accountId,
        eventId: id,
      })),
    outcome,
  }
}

/**
 * The caller reads this record. Of another account's keys and roles it tells no more than the answer has: not
 * whether they exist, which of them an alias or a ciphertext names, or what their policies say.
 */
function toldOfRefused(
  { caller }: Opening,
  { resources, reasons, foreignActions, grantId }: Trail,
): Pick<Audited, 'resources' | 'reasons' | 'grantId'> {
  const own = accountOf({ caller, resources })
  const told = resources.filter(({ accountId }) => accountId === own)
  return {
    resources: told,
    reasons: reasons.filter(({ action }) => !foreignActions.has(action)),
    grantId: told.length === resources.length ? grantId : undefined,
  }
}

function furtherOf(event: FurtherEvent, partition: string, time: number): Further {
  if ('key' in event) return (eventId) => keyServiceRecord(event, { eventId, time, partition })
  const { keys, ...forwarded } = event
  const resources = keys.map((key) => ({
    arn: keyArn(partition, key),
    accountId: key.accountId,
  }))
  return (eventId, audited) => furtherRecord(audited, { ...forwarded, resources, eventId })
}

/** The id of the record that an account has of the call. */
export function recordIdOf(
  accountId: string,
  { caller }: Opening,
  { resources, eventId, idOf }: Trail,
): string {
  return accountId === accountOf({ caller, resources }) ? eventId : copyIdOf(idOf, accountId)
}

/** The use of a key that its state has refused, with the record that its account has of it. */
export function refusedUseOf(
  records: readonly FinishedRecord[],
  opening: Opening,
  trail: Trail,
): RefusedUse | undefined {
  const { refusing: key, recordedAt: time } = trail
  if (key === undefined || opening.operation.tracksUsage === undefined) return undefined
  const eventId = recordIdOf(key.accountId, opening, trail)
  const record = records.find((each) => each.eventId === eventId)?.record
  return record === undefined
    ? undefined
    : { key, partition: opening.scope.partition, record, time }
}

/** Whether a key's event is that of the record which its account has. */
function isCopy({ key, eventId }: KeyEvent, idOf: IdOf): boolean {
  return eventId === copyIdOf(idOf, key.accountId)
}

function createIds(random: Random): IdOf {
  const ids = new Map<string, string>()
  return (name) => {
    const known = ids.get(name)
    if (known !== undefined) return known
    const id = random.uuid()
    ids.set(name, id)
    return id
  }
}

function tlsDetails({ tls, rawHeaders }: RawRequest): TlsDetails | undefined {
  return (
    tls && {
      tlsVersion: tls.version,
      cipherSuite: tls.cipherSuite,
      clientProvidedHostHeader: firstHeader(rawHeaders, 'host'),
    }
  )
}

export function successOf(opening: Opening, trail: Trail, output: unknown): Audited['outcome'] {
  return { ok: true, response: opening.operation.auditResponse?.(output, trail.keyArns) }
}

export function failureOf(error: unknown): Audited['outcome'] {
  if (error instanceof KmsError) return { ok: false, code: error.code, message: error.message }
  return { ok: false, code: 'KMSInternalException', message: '' }
}

/** @throws {KmsError} `DryRunOperationException` when the call asked for it */
export function refuseDryRun(input: Given): void {
  if (input['DryRun'] !== true) return
  const message = 'The request would have succeeded, but the DryRun option is set.'
  throw new KmsError('DryRunOperationException', message)
}
