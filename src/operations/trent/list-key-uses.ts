/**
 * ListKeyUses — `trent key-usage`: lists the calls on a key, latest first, in pages.
 * @module
 */
import { KmsError } from '../../errors.ts'
import { parseArn } from '../../model/arn.ts'
import { eventHistoryMs } from '../../model/audit-event.ts'
import { keyArn } from '../../model/key.ts'
import { integer, required, text } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import { trentOperation } from './trent-operation.ts'

export interface RecordedKeyUse {
  readonly eventId: string
  /** ISO 8601, UTC. */
  readonly time: string
  readonly operation: string
  /** An ARN; for callers of other accounts, the account and the unique id. */
  readonly principal: string
  readonly accessKeyId?: string
  readonly sourceAddress: string
  readonly userAgent?: string
  /** The error code of a refused call. */
  readonly errorCode?: string
  /** What allowed or denied it, for example `grant <id>` or `resource <statement>`. */
  readonly reasons: readonly string[]
}

export interface KeyUsesPage {
  readonly keyArn: string
  readonly from: string
  readonly until: string
  readonly uses: readonly RecordedKeyUse[]
  /** Marker of the next page; absent on the last page. */
  readonly after?: string
}

const usesMax = 500
const isoTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/

export const listKeyUses = trentOperation<KeyUsesPage>()({
  name: 'ListKeyUses',
  door: 'operator',
  input: {
    key: required(text({ min: 1, max: 2048 })),
    accountId: text({ pattern: '^[0-9]{12}$' }),
    region: text({ min: 1, max: 64 }),
    from: text({ max: 64 }),
    until: text({ max: 64 }),
    after: text({ max: 64, pattern: '^[0-9/]+$' }),
    limit: integer({ min: 1, max: usesMax }),
  },
  permissions: () => [{ action: 'trent:ListKeyUses' }],
  readOnly: true,
  audit: ['key', 'accountId', 'region', 'from', 'until', 'limit'],
  throws: ['ValidationException', 'NotFoundException', 'AccessDeniedException'],
  async run({ input, caller, partition, region: ownRegion }, { store, clock, events }) {
    const { accountId = caller.accountId, region = ownRegion, limit = usesMax, after } = input
    const arn = await arnOf(input.key, { accountId, region, partition }, store)
    const now = clock.now()
    const from = timeOf('from', input.from) ?? now - eventHistoryMs
    const until = timeOf('until', input.until) ?? now
    const parsed = parseArn(arn)
    const scope = {
      accountId: parsed?.accountId ?? accountId,
      region: parsed?.region ?? region,
      attribute: { name: 'ResourceName', value: arn },
    } as const
    const page = await events.lookup({ scope, from, until, limit, ...(after && { after }) })
    return {
      keyArn: arn,
      from: new Date(from).toISOString(),
      until: new Date(until).toISOString(),
      uses: page.events.map(({ text: record }) => useOf(record)),
      ...(page.next !== undefined && { after: page.next }),
    }
  },
})

/** A deleted key still has its uses, so the key is not looked up. An alias must exist. */
async function arnOf(
  key: string,
  place: { readonly accountId: string; readonly region: string; readonly partition: string },
  store: Pick<StoreReads, 'findAlias'>,
): Promise<string> {
  const arn = parseArn(key)
  if (arn !== undefined && arn.service !== 'kms') throw wrong(`\`${key}\` is no ARN of a key`)
  const at = arn === undefined ? place : { ...place, ...arn }
  const resource = arn?.resource ?? key
  if (!resource.startsWith('alias/')) {
    return keyArn(at.partition, { ...at, keyId: resource.replace(/^key\//, '') })
  }
  const alias = await store.findAlias({
    accountId: at.accountId,
    region: at.region,
    name: resource,
  })
  if (alias === undefined) throw new KmsError('NotFoundException', `there is no ${resource}`)
  return keyArn(at.partition, { ...at, keyId: alias.targetKeyId })
}

function timeOf(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const time = isoTime.test(given) ? Date.parse(given) : NaN
  if (Number.isNaN(time)) {
    throw wrong(
      `\`${name}\` must be a day, as 2026-01-31, or a time with its zone, as 2026-01-31T12:00Z`,
    )
  }
  return time
}

function wrong(message: string): KmsError {
  return new KmsError('ValidationException', message)
}

/** The parts of an audit record that are read here. Trent itself wrote the records. */
interface Recorded {
  readonly eventID: string
  readonly eventTime: string
  readonly eventName: string
  readonly userIdentity: {
    readonly arn?: string
    readonly accountId?: string
    readonly principalId?: string
    readonly invokedBy?: string
    readonly accessKeyId?: string
  }
  readonly sourceIPAddress: string
  readonly userAgent?: string
  readonly errorCode?: string
  readonly trent?: {
    readonly reasons: readonly { readonly policy: string; readonly statement?: string }[]
  }
}

function useOf(json: string): RecordedKeyUse {
  const record = JSON.parse(json) as Recorded
  const { userIdentity, userAgent, errorCode } = record
  const { arn, accountId = '', principalId, invokedBy, accessKeyId } = userIdentity
  const reasons = (record.trent?.reasons ?? []).map(({ policy, statement }) =>
    statement === undefined ? policy : `${policy} ${statement}`,
  )
  return {
    eventId: record.eventID,
    time: record.eventTime,
    operation: record.eventName,
    principal:
      arn ?? (principalId === undefined ? (invokedBy ?? '') : `${accountId} ${principalId}`),
    ...(accessKeyId !== undefined && { accessKeyId }),
    sourceAddress: record.sourceIPAddress,
    ...(userAgent !== undefined && { userAgent }),
    ...(errorCode !== undefined && { errorCode }),
    reasons: [...new Set(reasons)],
  }
}
