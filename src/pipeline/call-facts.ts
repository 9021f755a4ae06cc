/** The audit records of a call, made from the last value that the call reached. @module */
import {
  callRecords,
  copyIdOf,
  otherOwners,
  type FinishedRecord,
  type Further,
  type IdOf,
} from '../audit/records/call-records.ts'
import type { KeyEvent } from '../audit/records/key-events.ts'
import type { Audited, TlsDetails } from '../audit/records/audited.ts'
import { accountOf, furtherRecord } from '../audit/records/record.ts'
import { keyServiceRecord } from '../audit/records/service-record.ts'
import { KmsError } from '../errors.ts'
import type { RefusedUse, RefusedUses } from '../events/refused-uses.ts'
import type { Random } from '../model/clock.ts'
import type { FurtherEvent } from '../model/further-event.ts'
import { keyArn } from '../model/key.ts'
import { globalRegionOf } from '../model/region.ts'
import type { Origin } from '../operations/contract/call.ts'
import { firstHeader } from '../wire/headers.ts'
import type { RawRequest } from '../wire/request.ts'
import { isAuthorized } from './decide.ts'
import type { Recordable } from './stages.ts'

type Outcome = Audited['outcome']

/** @param recordedAt milliseconds since the epoch */
export function recordsOf(
  reached: Recordable,
  outcome: Outcome,
  recordedAt: number,
): readonly FinishedRecord[] {
  const { scope, idOf, effects } = reached
  const audited = auditedOf(reached, outcome, recordedAt)
  const owners = ownersOf(reached, outcome)
  const further = (effects?.further ?? []).map((event) =>
    furtherOf(event, scope.partition, recordedAt),
  )
  return callRecords(audited, owners, further, idOf)
}

/** The accounts, other than the caller's, that get a record of the call. */
function ownersOf(reached: Recordable, outcome: Outcome): readonly string[] {
  return isAllowed(reached, outcome) ? otherOwners(concernedBy(reached), reached.caller) : []
}

/**
 * Whether a refused call gets its own record at any rate of refusals: another account gets a record of it, or
 * an event is sent for it.
 */
export function isAlwaysRecorded(
  reached: Recordable,
  outcome: Outcome,
  refusedUses: Pick<RefusedUses, 'isNews'>,
): boolean {
  if (ownersOf(reached, outcome).length > 0) return true
  const { refusing, operation, scope } = reached
  const isUse = refusing !== undefined && operation.tracksUsage !== undefined
  return isUse && refusedUses.isNews(refusing, scope.partition)
}

function isAllowed(reached: Recordable, outcome: Outcome): boolean {
  return isAuthorized(reached) && (outcome.ok || outcome.code !== 'AccessDeniedException')
}

/** Everything that the caller's own record says. */
export function auditedOf(reached: Recordable, outcome: Outcome, recordedAt: number): Audited {
  const { operation, caller, scope, request, requestId, eventId, origin, idOf } = reached
  return {
    eventId,
    requestId,
    time: recordedAt,
    operation,
    caller,
    region: operation.service === 'iam' ? globalRegionOf(scope) : scope.region,
    ...origin,
    tls: tlsDetails(request),
    input: reached.input,
    ...shownOf(reached, isAllowed(reached, outcome)),
    recipient: reached.recipient?.audited,
    materials: reached.effects?.materials,
    keyStore: reached.effects?.keyStore ?? keyStoreOf(reached),
    keyEvents: (reached.keyEvents ?? [])
      .filter((event) => event.eventId !== eventId && !isCopy(event, idOf))
      .map(({ key, eventId: id }) => ({
        arn: keyArn(scope.partition, key),
        accountId: key.accountId,
        eventId: id,
      })),
    outcome,
  }
}

/** The key store of the key that the call uses. */
function keyStoreOf({ operation, keys }: Recordable): Audited['keyStore'] {
  if (operation.tracksUsage === undefined) return undefined
  const used = Object.values(keys ?? {}).find((key) => key.customKeyStoreId !== undefined)
  const { customKeyStoreId, xksKeyId } = used ?? {}
  if (customKeyStoreId === undefined) return undefined
  return { customKeyStoreId, ...(xksKeyId !== undefined && { xksKeyId }) }
}

/** What the call is about: as its operation says, otherwise what it names. */
function concernedBy({ effects, concerned }: Recordable): Audited['resources'] {
  return effects?.resources ?? concerned?.resources ?? []
}

/**
 * The caller reads this record. Unless the call is allowed, the record says no more about another
 * account's keys and roles than the answer: not whether they exist, which of them an alias or a
 * ciphertext names, or what their policies say.
 */
function shownOf(
  reached: Recordable,
  allowed: boolean,
): Pick<Audited, 'resources' | 'reasons' | 'grantId'> {
  const { caller, decision, resolved } = reached
  const resources = concernedBy(reached)
  const reasons = decision?.reasons ?? []
  const grantId = resolved?.grant?.grantId
  if (allowed) return { resources, reasons, grantId }
  const own = accountOf({ caller, resources })
  const shown = resources.filter(({ accountId }) => accountId === own)
  return {
    resources: shown,
    reasons: reasons.filter(({ action }) => decision?.foreignActions.has(action) !== true),
    grantId: shown.length === resources.length ? grantId : undefined,
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

/** The id of the record that an account gets of the call. */
export function recordIdOf(accountId: string, reached: Recordable): string {
  const own = accountOf({ caller: reached.caller, resources: concernedBy(reached) })
  return accountId === own ? reached.eventId : copyIdOf(reached.idOf, accountId)
}

/** The use of a key that its state refused, with the record that the key's account gets of it. */
export function refusedUseOf(
  records: readonly FinishedRecord[],
  reached: Recordable,
  recordedAt: number,
): RefusedUse | undefined {
  const { refusing: key, operation, scope } = reached
  if (key === undefined || operation.tracksUsage === undefined) return undefined
  const eventId = recordIdOf(key.accountId, reached)
  const record = records.find((each) => each.eventId === eventId)?.record
  return record === undefined
    ? undefined
    : { key, partition: scope.partition, record, time: recordedAt }
}

/** Whether a key's event is that of the record which its account gets. */
function isCopy({ key, eventId }: KeyEvent, idOf: IdOf): boolean {
  return eventId === copyIdOf(idOf, key.accountId)
}

/** Answers the same id for the same name. */
export function createIds(random: Random): IdOf {
  const ids = new Map<string, string>()
  return (name) => {
    const known = ids.get(name)
    if (known !== undefined) return known
    const id = random.uuid()
    ids.set(name, id)
    return id
  }
}

export function originOf({ remoteAddress, secure, rawHeaders }: RawRequest): Origin {
  return {
    sourceAddress: remoteAddress,
    secure,
    userAgent: firstHeader(rawHeaders, 'user-agent'),
    referer: firstHeader(rawHeaders, 'referer'),
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

export function successOf(reached: Recordable, output: unknown): Outcome {
  const { operation, concerned } = reached
  return { ok: true, response: operation.auditResponse?.(output, concerned?.keyArns ?? {}) }
}

export function failureOf(error: unknown): Outcome {
  if (error instanceof KmsError) return { ok: false, code: error.code, message: error.message }
  return { ok: false, code: 'KMSInternalException', message: '' }
}
