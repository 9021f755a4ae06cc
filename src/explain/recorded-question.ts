/** Reads a call's audit record: how the call was decided, and the question that asks again. @module */
import type { AskedAccess, RecordedCall } from '../operations/contract/access-questions.ts'

/** The members of a record. Older records may lack newer members. */
interface Read {
  readonly eventID: string
  readonly eventTime: string
  readonly eventName: string
  readonly requestID: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly sourceIPAddress?: string
  readonly userAgent?: string
  readonly userIdentity: {
    readonly arn?: string
    readonly type?: string
    readonly invokedBy?: string
  }
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly resources?: readonly { readonly type?: string; readonly ARN?: string }[]
  readonly trent?: {
    readonly reasons?: RecordedCall['reasons']
    readonly secureTransport?: boolean
  }
}

/**
 * Returns the question, or the reason why it cannot be asked.
 * @param text a record of the index, written by Trent
 */
export function recordedQuestion(text: string): {
  readonly call: RecordedCall
  readonly question: AskedAccess | string
} {
  const record = JSON.parse(text) as Read // the index holds only Trent's records
  const { errorCode, errorMessage, trent, userIdentity, requestParameters } = record
  const reasons = trent?.reasons ?? []
  const call = {
    eventId: record.eventID,
    eventTime: record.eventTime,
    eventName: record.eventName,
    requestId: record.requestID,
    caller: userIdentity.arn ?? '',
    ...(errorCode !== undefined && { errorCode }),
    ...(errorMessage !== undefined && { errorMessage }),
    reasons,
  }
  const keys = (record.resources ?? []).filter(({ type }) => type === 'AWS::KMS::Key')
  const foreign = foreignKeyOf(record)
  const action = reasons.at(-1)?.action ?? (foreign && `kms:${record.eventName}`)
  if (action === undefined) return { call, question: 'no permission was decided on' }
  if (!['Root', 'IAMUser', 'AssumedRole'].includes(userIdentity.type ?? '')) {
    return {
      call,
      question: `what a caller of type ${userIdentity.type} may do is not asked again`,
    }
  }
  if (action === 'kms:TagResource' && record.eventName !== 'TagResource') {
    const question = `${action} was asked of every key, for a key that the call was to make`
    return { call, question }
  }
  const [{ ARN: key } = { ARN: foreign }] = action === 'kms:ReEncryptFrom' ? keys : keys.slice(-1)
  if (key === undefined) return { call, question: `${action} was not asked of a key` }
  const given = requestParameters ?? {}
  const context = given[contextMember(action)]
  if (isCut(given) || isCut(context)) {
    return { call, question: 'the record was too long to hold what was asked for' }
  }
  const service = userIdentity.invokedBy
  const question = {
    caller: call.caller,
    action,
    key,
    encryptionContext: pairsOf(context),
    context: {
      'aws:SecureTransport': String(trent?.secureTransport !== false),
      ...(service === undefined && { 'aws:SourceIp': record.sourceIPAddress }),
      ...(service === undefined && { 'aws:UserAgent': record.userAgent }),
    },
    ...(typeof given['grantId'] === 'string' && { grantId: given['grantId'] }),
    ...(service !== undefined && { via: service }),
  }
  return { call, question }
}

/** The key of another account that a refused call named. The record has only the caller's name for it. */
function foreignKeyOf({ errorCode, resources = [], requestParameters }: Read): string | undefined {
  const named = requestParameters?.['keyId']
  const hidden = errorCode === 'AccessDenied' && resources.length === 0
  return hidden && typeof named === 'string' && named.startsWith('arn:') ? named : undefined
}

function contextMember(action: string): string {
  if (action === 'kms:ReEncryptFrom') return 'sourceEncryptionContext'
  return action === 'kms:ReEncryptTo' ? 'destinationEncryptionContext' : 'encryptionContext'
}

/**
 * Whether the record omitted the value. No pair of an encryption context has this form, because pairs
 * are texts.
 */
function isCut(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'omitted' in value && value.omitted === true
}

function pairsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(
    Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}
