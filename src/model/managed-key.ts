/**
 * AWS managed keys: one for each service in an account and Region, created when it is first needed.
 * Source: the policies of the AWS managed keys of a real account, as `GetKeyPolicy` returns them
 * (2024, `us-east-1`), and the developer guides. The descriptions of the less common keys follow
 * the same pattern.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
 * @module
 */

/** The usual permissions that the service's users may have. */
type Use =
  | 'encrypt'
  | 'decrypt'
  | 'reEncrypt'
  | 'dataKeys'
  | 'createGrant'
  | 'listGrants'
  | 'describe'

export interface ManagedKeyKind {
  /** `alias/aws/ebs` */
  readonly alias: string
  /** The service's name at the start of `kms:ViaService`: `ec2`. */
  readonly via: string
  /** The `Id` of its policy. */
  readonly policyId: string
  /** The service's name in the policy: `EBS`. */
  readonly title: string
  /** What it protects: `EBS volumes`. */
  readonly protects: string
  readonly uses: readonly Use[]
  /** Whether the service may describe the key in its own name. */
  readonly describedByService?: true
  /** A shorter name in the policy: `SQS`. Such a policy names the service before the account. */
  readonly shortTitle?: string
}

const all: readonly Use[] = [
  'encrypt',
  'decrypt',
  'reEncrypt',
  'dataKeys',
  'createGrant',
  'describe',
]
const withLists: readonly Use[] = [...all.slice(0, -1), 'listGrants', 'describe']
const withoutGrants: readonly Use[] = all.filter((use) => use !== 'createGrant')

type Row = readonly [
  name: string,
  version: string,
  title: string,
  protects: string,
  uses: readonly Use[],
  more?: { readonly via?: string; readonly described?: true; readonly shortTitle?: string },
]

const rows: readonly Row[] = [
  ['backup', '1', 'Backup', 'Backup data', ['createGrant', 'decrypt', 'dataKeys']],
  ['cloud9', '1', 'Cloud9', 'Cloud9 data', withoutGrants],
  ['codecommit', '2', 'CodeCommit', 'CodeCommit repositories', withoutGrants],
  ['dms', '1', 'DMS', 'DMS replication instance volumes', withLists],
  ['dynamodb', '3', 'Amazon DynamoDB', 'DynamoDB data', all, { described: true }],
  ['ebs', '2', 'EBS', 'EBS volumes', all, { via: 'ec2' }],
  ['elasticfilesystem', '1', 'EFS', 'EFS filesystems', all],
  ['es', '2', 'OpenSearch Service', 'Elasticsearch data', all, { described: true }],
  ['fsx', '1', 'FSx', 'FSx resources', withLists],
  ['glue', '1', 'Glue', 'Glue data', all],
  ['kafka', '1', 'Kafka', 'MSK data', withLists],
  ['kinesis', '1', 'Amazon Kinesis', 'Kinesis data', withoutGrants],
  ['kinesisvideo', '1', 'Kinesis Video Streams', 'Kinesis Video Streams data', all],
  ['lambda', '', 'AWS Lambda', 'Lambda functions', all],
  ['lightsail', '1', 'Lightsail', 'Lightsail data', withoutGrants, { described: true }],
  ['mq', '1', 'Amazon MQ', 'Amazon MQ data', all],
  ['rds', '2', 'RDS', 'RDS database volumes', withLists],
  ['redshift', '3', 'RedShift', 'Redshift clusters', all],
  ['s3', '2', 'S3', 'S3 objects', withoutGrants],
  ['secretsmanager', '2', 'AWS Secrets Manager', 'Secrets Manager data', all],
  ['sns', '1', 'SNS', 'SNS data', ['decrypt', 'dataKeys', 'createGrant', 'listGrants', 'describe']],
  ['sqs', '1', 'Simple Queue Service (SQS)', 'SQS messages', all, { shortTitle: 'SQS' }],
  ['ssm', '1', 'SSM', 'SSM parameters', withoutGrants],
  [
    'workmail',
    '1',
    'WorkMail',
    'WorkMail data',
    ['decrypt', 'createGrant', 'reEncrypt', 'describe', 'encrypt'],
  ],
  ['workspaces', '1', 'Workspaces', 'Workspaces volumes', withLists],
  ['xray', '1', 'X-Ray', 'X-Ray data', all, { described: true }],
]

const kinds: ReadonlyMap<string, ManagedKeyKind> = new Map(
  rows.map(([name, version, title, protects, uses, { via = name, described, ...order } = {}]) => {
    const alias = `alias/aws/${name}`
    const policyId = version === '' ? `auto-aws${name}` : `auto-${name}-${version}`
    const kind = { alias, via, policyId, title, protects, uses, ...order }
    return [alias, { ...kind, ...(described && { describedByService: described }) }]
  }),
)

/** The managed key that belongs to an alias; undefined for any other alias. */
export function managedKeyKindOf(alias: string): ManagedKeyKind | undefined {
  return kinds.get(alias)
}

/** The aliases that every account has, even before their keys are created, in byte order. */
export const managedAliases: readonly string[] = [...kinds.keys()].toSorted()

export function managedKeyDescription({ protects }: ManagedKeyKind): string {
  return `Default key that protects my ${protects} when no other key is defined`
}

const actions: Readonly<Record<Use, string>> = {
  encrypt: 'kms:Encrypt',
  decrypt: 'kms:Decrypt',
  reEncrypt: 'kms:ReEncrypt*',
  dataKeys: 'kms:GenerateDataKey*',
  createGrant: 'kms:CreateGrant',
  listGrants: 'kms:ListGrants',
  describe: 'kms:DescribeKey',
}

const reading = ['kms:Describe*', 'kms:Get*', 'kms:List*'] as const

/** The policy of a key of this kind, letter for letter as AWS prints it. */
export function managedKeyPolicy(
  kind: ManagedKeyKind,
  where: { readonly partition: string; readonly accountId: string; readonly region: string },
): string {
  const { via, title, policyId, uses, shortTitle } = kind
  const { partition, accountId, region } = where
  const granting = uses.includes('createGrant')
  const ofAccount = { 'kms:CallerAccount': accountId }
  const ofService = { 'kms:ViaService': `${via}.${region}.amazonaws.com` }
  const statements = [
    {
      Sid:
        `Allow access through ${title} for all principals in the account ` +
        `that are authorized to use ${shortTitle ?? title}`,
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: uses.map((use) => actions[use]),
      Resource: '*',
      Condition: {
        StringEquals:
          shortTitle === undefined
            ? { ...ofAccount, ...ofService }
            : { ...ofService, ...ofAccount },
      },
    },
    {
      Sid: 'Allow direct access to key metadata to the account',
      Effect: 'Allow',
      Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
      Action: [...reading, ...(granting ? ['kms:RevokeGrant'] : [])],
      Resource: '*',
    },
    ...(kind.describedByService === undefined
      ? []
      : [
          {
            Sid: `Allow ${title} to describe the key directly`,
            Effect: 'Allow',
            Principal: { Service: `${via}.amazonaws.com` },
            Action: reading,
            Resource: '*',
          },
        ]),
  ]
  return printed({ Version: '2012-10-17', Id: policyId, Statement: statements })
}

/** Formats JSON as AWS prints policies: a space before each colon, lists on one line. */
function printed(value: unknown, indent = ''): string {
  if (Array.isArray(value)) return `[ ${value.map((item) => printed(item, indent)).join(', ')} ]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const inner = `${indent}  `
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)} : ${printed(member, inner)}`,
  )
  return `{\n${members.join(',\n')}\n${indent}}`
}
