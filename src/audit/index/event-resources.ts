/**
 * The resources that LookupEvents returns for an event. AWS's answer differs from the record's own
 * `resources`: it names keys as the caller did, and sessions by each of their names.
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Resource.html
 * @module
 */
import type { IndexedResource } from '../../model/audit-event.ts'

type Given = Readonly<Record<string, unknown>>

export interface EventResources {
  /** Shown in the answer. */
  readonly shown: readonly IndexedResource[]
  /** Other resources that the record names; not shown, but the event is found by them too. */
  readonly hidden: readonly IndexedResource[]
}

export function eventResources(record: Given): EventResources {
  const recorded = recordedResources(record)
  const shown = shownResources(record, recorded)
  const named = new Set(shown.map(({ name }) => name))
  return { shown, hidden: recorded.filter(({ name }) => !named.has(name)) }
}

function shownResources(
  record: Given,
  recorded: readonly IndexedResource[],
): readonly IndexedResource[] {
  const source = record['eventSource']
  const failed = record['errorCode'] !== undefined
  if (source === 'kms.amazonaws.com') return keysOf(record, recorded, failed)
  if (source === 'sts.amazonaws.com') return [...sessionOf(record), ...recorded]
  return source === 'iam.amazonaws.com' && failed ? [] : recorded
}

/** Operations that use keys: their events name the key as the caller did, without a type. */
const uses: ReadonlySet<string> = new Set(
  (
    'Encrypt Decrypt ReEncrypt Sign Verify GenerateMac VerifyMac DeriveSharedSecret Encapsulate ' +
    'Decapsulate GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateDataKeyPair ' +
    'GenerateDataKeyPairWithoutPlaintext DescribeKey'
  ).split(' '),
)

const keyType = 'AWS::KMS::Key'

function keysOf(
  { eventName, readOnly, requestParameters }: Given,
  recorded: readonly IndexedResource[],
  failed: boolean,
): readonly IndexedResource[] {
  if (readOnly !== true && !failed) return recorded.flatMap(bothNames)
  const parameters = isObject(requestParameters) ? requestParameters : {}
  if (uses.has(String(eventName))) {
    // Of ReEncrypt's two keys, the destination.
    const name = textOf(parameters[eventName === 'ReEncrypt' ? 'destinationKeyId' : 'keyId'])
    return name === undefined ? [] : [{ name }]
  }
  return ['keyId', 'aliasName', 'targetKeyId'].flatMap((parameter) => {
    const name = textOf(parameters[parameter])
    return name === undefined ? [] : [{ type: keyType, name }]
  })
}

/** The key id or alias, and the ARN. */
function bothNames({ type = keyType, name: arn }: IndexedResource): readonly IndexedResource[] {
  const [, name] = /^arn:[^:]+:kms:[^:]*:[^:]*:(?:key\/)?(.+)$/.exec(arn) ?? []
  return name === undefined
    ? [{ type, name: arn }]
    : [
        { type, name },
        { type, name: arn },
      ]
}

/** The credentials that an STS call issued, and the session that they belong to. */
function sessionOf({ responseElements }: Given): readonly IndexedResource[] {
  if (!isObject(responseElements)) return []
  const { credentials, assumedRoleUser, federatedUser } = responseElements
  return [
    ...names('AWS::IAM::AccessKey', [memberOf(credentials, 'accessKeyId')]),
    ...names('AWS::STS::AssumedRole', [
      memberOf(assumedRoleUser, 'arn'),
      memberOf(assumedRoleUser, 'assumedRoleId'),
      behindColon(memberOf(assumedRoleUser, 'assumedRoleId')),
    ]),
    ...names('AWS::STS::FederatedUser', [
      memberOf(federatedUser, 'federatedUserId'),
      memberOf(federatedUser, 'arn'),
      behindColon(memberOf(federatedUser, 'federatedUserId')),
    ]),
  ]
}

function names(type: string, all: readonly (string | undefined)[]): readonly IndexedResource[] {
  return all.flatMap((name) => (name === undefined || name === '' ? [] : [{ type, name }]))
}

function behindColon(id: string | undefined): string | undefined {
  return id?.slice(id.indexOf(':') + 1)
}

/** IAM's records have no resources, so they are taken from the parameters. */
const namedByParameter: readonly (readonly [parameter: string, type: string])[] = [
  ['userName', 'AWS::IAM::User'],
  ['roleName', 'AWS::IAM::Role'],
  ['groupName', 'AWS::IAM::Group'],
  ['policyArn', 'AWS::IAM::Policy'],
  ['accessKeyId', 'AWS::IAM::AccessKey'],
]

function recordedResources(record: Given): readonly IndexedResource[] {
  const resources: IndexedResource[] = []
  const listed = record['resources']
  for (const resource of Array.isArray(listed) ? (listed as readonly unknown[]) : []) {
    const [type, name] = [memberOf(resource, 'type'), memberOf(resource, 'ARN')]
    if (type !== undefined && name !== undefined) resources.push({ type, name })
  }
  if (record['eventSource'] !== 'iam.amazonaws.com') return resources
  for (const [parameter, type] of namedByParameter) {
    const name = memberOf(record['requestParameters'], parameter)
    if (name !== undefined) resources.push({ type, name })
  }
  return resources
}

function memberOf(value: unknown, name: string): string | undefined {
  return isObject(value) ? textOf(value[name]) : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
