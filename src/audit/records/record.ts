/**
 * One call as one audit record, in CloudTrail's form.
 * INVARIANT (no secret in a record): request parameters are copied member by member from the
 * operation's own audit list; nothing else of the input is read here.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 * @module
 */
import { parseArn } from '../../model/arn.ts'
import { invokingService, type Caller, type CallerKind } from '../../model/caller.ts'
import { oidcProviderArn } from '../../model/oidc-provider.ts'
import { eventTime } from '../../model/event-time.ts'
import { hole, renderByTemplates, type RenderedRecord } from './record-templates.ts'
import { camelCased, parametersOf } from './request-parameters.ts'
import { boundedRefusal, omitted } from './refused-record.ts'
import type { Audited, AuditedFurther } from './audited.ts'

/**
 * Maximum bytes of a successful call's record. A longer one omits members that a caller can make large.
 */
export const recordBytesMax = 128 * 1024
const userAgentMax = 1024

type Parameters = Readonly<Record<string, unknown>>

export function auditRecord(audited: Audited): RenderedRecord {
  const requestParameters = parametersOf(audited)
  const { requestId: requestID, eventId: eventID } = audited
  const open = { eventTime: eventTime(audited.time), requestParameters, requestID, eventID }
  const rendered = render(audited, open)
  if (!audited.outcome.ok) return { record: boundedRefusal(rendered.record) }
  if (requestParameters === 'null' || fits(rendered.record)) return rendered
  // Largest first, so that a caller who pads one member cannot push the others out of the record.
  const kept = JSON.parse(requestParameters) as Record<string, unknown> // the object behind it
  const sizes = Object.entries(kept)
    .map(([name, value]) => ({ name, bytes: Buffer.byteLength(JSON.stringify(value)) }))
    .toSorted((a, b) => b.bytes - a.bytes)
  let shorter = rendered.record
  for (const { name, bytes } of sizes) {
    kept[name] = omitted(bytes)
    shorter = render(audited, { ...open, requestParameters: JSON.stringify(kept) }).record
    if (fits(shorter)) break
  }
  return { record: shorter }
}

const render = renderByTemplates(compose)

function fits(record: string): boolean {
  return Buffer.byteLength(record) <= recordBytesMax
}

/** The record with holes for its open members. */
function compose(audited: Audited): string {
  const { caller, operation, outcome, owner } = audited
  const failed = outcome.ok ? undefined : outcome
  const account = owner ?? accountOf(audited)
  const service = invokingService(caller)
  // One flat literal, in which undefined omits a member: spreads nearly double the time (4.5 µs).
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: owner === undefined ? userIdentity(caller) : foreignIdentity(caller),
    eventTime: hole,
    eventSource: `${operation.service}.amazonaws.com`,
    eventName: operation.name,
    awsRegion: audited.region,
    sourceIPAddress: service?.name ?? audited.sourceAddress,
    userAgent: service?.name ?? audited.userAgent?.slice(0, userAgentMax),
    errorCode: failed && errorCode(failed.code),
    // AWS sends some exceptions without a message, and does not record one either.
    errorMessage: failed?.message === '' ? undefined : failed?.message,
    requestParameters: hole,
    responseElements: outcome.ok ? responseElements(outcome.response) : null,
    additionalEventData: additionalEventData(audited),
    requestID: hole,
    eventID: hole,
    readOnly: operation.readOnly,
    resources: resourcesOf(audited),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: account,
    sharedEventID: audited.sharedEventId,
    eventCategory: 'Management',
    tlsDetails: audited.tls,
    trent: {
      reasons: reasonsFor(audited),
      keyEvents: keyEventsFor(audited, account),
      secureTransport: audited.secure === false ? false : undefined,
      refusals: refusalsOf(audited),
    },
  })
}

/** The event in another Region, as the service made it for the caller. */
export function furtherRecord(audited: Audited, event: AuditedFurther): string {
  const service = `${audited.operation.service}.amazonaws.com`
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: { ...userIdentity(audited.caller), invokedBy: service },
    eventTime: eventTime(audited.time),
    eventSource: `${event.service ?? audited.operation.service}.amazonaws.com`,
    eventName: event.eventName,
    awsRegion: event.region,
    sourceIPAddress: service,
    userAgent: service,
    requestParameters: camelCased(event.requestParameters),
    responseElements: camelCased(event.responseElements),
    requestID: audited.requestId,
    eventID: event.eventId,
    readOnly: false,
    resources: event.service === undefined ? event.resources.map(shownResource) : undefined,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: audited.caller.accountId,
    eventCategory: 'Management',
    trent: { reasons: [] },
  })
}

function responseElements(response: Parameters | undefined): unknown {
  return response === undefined ? null : camelCased(response)
}

/**
 * AWS omits an empty list for services other than KMS, and for an alias that does not exist. Trent omits it
 * for a key that does not exist, too.
 */
function resourcesOf(audited: Audited): readonly object[] | undefined {
  const { resources, operation, outcome } = audited
  if (resources.length > 0) return resources.map(shownResource)
  // AWS's records of operations on key stores have no such member.
  if (audited.keyStore !== undefined) return undefined
  const isMissing = !outcome.ok && outcome.code === 'NotFoundException'
  return operation.service !== 'kms' || isMissing ? undefined : []
}

function shownResource(resource: Audited['resources'][number]): object {
  const { arn, accountId, type = 'AWS::KMS::Key' } = resource
  return { accountId, type, ARN: arn }
}

function refusalsOf({ refusals }: Audited): object | undefined {
  return refusals && { ...refusals, since: eventTime(refusals.since) }
}

const ownersPolicies: readonly string[] = ['resource', 'resource-control', 'grant']

/** The caller's own policies are not shown to other accounts. */
function reasonsFor({ owner, reasons }: Audited): Audited['reasons'] {
  if (owner === undefined) return reasons
  return reasons.filter(({ policy }) => ownersPolicies.includes(policy))
}

function keyEventsFor(
  { outcome, keyEvents = [] }: Audited,
  account: string,
): readonly object[] | undefined {
  if (!outcome.ok || keyEvents.length === 0) return undefined
  const own = keyEvents.filter(({ accountId }) => accountId === account)
  if (own.length === 0) return undefined
  return own.map(({ arn, eventId }) => ({ ARN: arn, eventID: eventId }))
}

function additionalEventData(audited: Audited): object | undefined {
  const { recipient, grantId, keyStore, outcome } = audited
  const materials = outcome.ok ? audited.materials : undefined
  const keyMaterialId = materials?.keyMaterialId
  const sourceKeyMaterialId = materials?.sourceKeyMaterialId
  const destinationKeyMaterialId = materials?.destinationKeyMaterialId
  const material = keyMaterialId ?? sourceKeyMaterialId ?? destinationKeyMaterialId
  if (audited.operation.service === 'sts') return servingDetails(audited)
  const isEmpty =
    recipient === undefined &&
    grantId === undefined &&
    material === undefined &&
    Object.keys(keyStore ?? {}).length === 0
  if (isEmpty) return undefined
  return {
    recipient,
    grantId,
    ...keyStore,
    keyMaterialId,
    sourceKeyMaterialId,
    destinationKeyMaterialId,
  }
}

/** STS records which Region's endpoint served each request. */
function servingDetails({ requestId, region, time }: Audited): object {
  const name = `1:${region}:S:${time}:R:${requestId.slice(0, 8)}`
  return {
    ExtendedRequestId: Buffer.from(name).toString('base64'),
    RequestDetails: { awsServingRegion: region, endpointType: 'regional' },
  }
}

function errorCode(code: string): string {
  return code === 'AccessDeniedException' ? 'AccessDenied' : code
}

const identityTypes: Readonly<Record<CallerKind, string>> = {
  root: 'Root',
  user: 'IAMUser',
  'assumed-role': 'AssumedRole',
  'federated-user': 'FederatedUser',
  'web-identity': 'WebIdentityUser',
  infrastructure: 'AssumedRole',
  service: 'AWSService',
  'xks-client': 'XksClient',
  operator: 'Operator',
  test: 'TestApi',
}

function userIdentity(caller: Caller): object {
  const { kind, accountId, arn, accessKeyId, uniqueId: principalId, userName } = caller
  const { session, issuer, forwarded } = caller
  const invokedBy = invokingService(caller)?.name
  if (kind === 'service') return { type: identityTypes[kind], invokedBy }
  if (kind === 'web-identity') {
    return { type: identityTypes[kind], principalId, userName, identityProvider: arn }
  }
  const identity = { type: identityTypes[kind], principalId, arn, accountId, accessKeyId, userName }
  const issuedAt = session?.issuedAt ?? forwarded?.issuedAt
  if (kind === 'operator' && caller.loginName !== undefined) {
    return { ...identity, sessionContext: { sourceIdentity: caller.loginName } }
  }
  if (issuedAt === undefined) return identity
  return {
    ...identity,
    sessionContext: {
      sessionIssuer: kind === 'root' || kind === 'user' ? undefined : issuer,
      webIdFederationData: webIdFederationData(caller),
      attributes: { creationDate: eventTime(issuedAt), mfaAuthenticated: 'false' },
      sourceIdentity: session?.sourceIdentity,
    },
    invokedBy,
  }
}

/** The identity provider behind a session that was opened with a web identity token. */
function webIdFederationData({ session, arn }: Caller): object | undefined {
  const partition = parseArn(arn)?.partition
  if (session?.webIdentity === undefined || partition === undefined) return undefined
  const { accountId } = session
  const { provider: name } = session.webIdentity
  return { federatedProvider: oidcProviderArn(partition, { accountId, name }), attributes: {} }
}

/** The caller as another account's record shows it. */
function foreignIdentity(caller: Caller): object {
  // Everybody may know which operator did something to their account.
  if (caller.kind === 'service' || caller.kind === 'operator') return userIdentity(caller)
  const { uniqueId: principalId, accountId } = caller
  return { type: 'AWSAccount', principalId, accountId, invokedBy: invokingService(caller)?.name }
}

/**
 * The account that a call's own record belongs to. A service has no account, so its record belongs to
 * the account of the call's resource.
 */
export function accountOf({ caller, resources }: Pick<Audited, 'caller' | 'resources'>): string {
  if (caller.service === undefined) return caller.accountId
  return resources[0]?.accountId ?? caller.service.sourceAccount ?? ''
}
