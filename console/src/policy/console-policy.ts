/**
 * The key policies that the console writes, as AWS's console does: administrators, users and other accounts,
 * each in its statement. Other policies are shown as JSON only.
 * Source: the statements that AWS's developer guide lists for the console.
 * @module
 */

export interface KeyTraits {
  readonly spec: string
  readonly usage: string
  readonly isImported: boolean
  readonly isMultiRegion: boolean
}

export interface PolicyChoice {
  /** ARNs of users and roles. */
  readonly admins: readonly string[]
  readonly adminsDelete: boolean
  readonly users: readonly string[]
  /** Twelve digits each. */
  readonly accounts: readonly string[]
}

interface Statement {
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal: { readonly AWS: string | readonly string[] }
  readonly Action: string | readonly string[]
  readonly Resource: string
  readonly Condition?: unknown
}

export interface PolicyDocument {
  readonly Id?: string
  readonly Version: string
  readonly Statement: readonly Statement[]
}

const id = 'key-consolepolicy-3'
const sids = {
  account: 'Enable IAM User Permissions',
  admins: 'Allow access for Key Administrators',
  use: 'Allow use of the key',
  attach: 'Allow attachment of persistent resources',
} as const

const adminActions = [
  'Create*',
  'Describe*',
  'Enable*',
  'List*',
  'Put*',
  'Update*',
  'Revoke*',
  'Disable*',
  'Get*',
  'Delete*',
  'TagResource',
  'UntagResource',
]
const deletionActions = ['kms:ScheduleKeyDeletion', 'kms:CancelKeyDeletion']

function useActions({ spec, usage }: KeyTraits): readonly string[] {
  if (usage === 'GENERATE_VERIFY_MAC') return ['DescribeKey', 'GenerateMac', 'VerifyMac']
  if (usage === 'SIGN_VERIFY') return ['DescribeKey', 'GetPublicKey', 'Sign', 'Verify']
  if (usage === 'KEY_AGREEMENT') return ['DescribeKey', 'GetPublicKey', 'DeriveSharedSecret']
  if (usage === 'ENCRYPT_DECRYPT' && spec === 'SYMMETRIC_DEFAULT') {
    return ['Encrypt', 'Decrypt', 'ReEncrypt*', 'GenerateDataKey*', 'DescribeKey']
  }
  if (usage === 'ENCRYPT_DECRYPT') {
    return ['Encrypt', 'Decrypt', 'ReEncrypt*', 'DescribeKey', 'GetPublicKey']
  }
  return ['DescribeKey', 'GetPublicKey', 'Encapsulate', 'Decapsulate']
}

const prefixed = (names: readonly string[]): readonly string[] => names.map((name) => `kms:${name}`)

export function buildPolicy(
  choice: PolicyChoice,
  traits: KeyTraits,
  account: { readonly partition: string; readonly accountId: string },
): PolicyDocument {
  const rootOf = (accountId: string): string => `arn:${account.partition}:iam::${accountId}:root`
  const { admins, adminsDelete, users, accounts } = choice
  const using = [...users, ...accounts.map(rootOf)]
  const adminsMay = [
    ...prefixed(adminActions),
    ...(adminsDelete ? deletionActions : []),
    ...(traits.isImported ? ['kms:ImportKeyMaterial'] : []),
    ...(traits.isMultiRegion ? ['kms:ReplicateKey', 'kms:UpdatePrimaryRegion'] : []),
  ]
  const allow = (
    Sid: string,
    AWS: string | readonly string[],
    Action: string | readonly string[],
  ): Statement => ({ Sid, Effect: 'Allow', Principal: { AWS }, Action, Resource: '*' })
  const attach = {
    ...allow(sids.attach, using, ['kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant']),
    Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
  }
  return {
    Id: id,
    Version: '2012-10-17',
    Statement: [
      allow(sids.account, rootOf(account.accountId), 'kms:*'),
      ...(admins.length > 0 ? [allow(sids.admins, admins, adminsMay)] : []),
      ...(using.length > 0 ? [allow(sids.use, using, prefixed(useActions(traits))), attach] : []),
    ],
  }
}

/**
 * Reads the choice back from a policy. Undefined unless building it again gives the same policy: the default
 * view never hides a statement.
 */
export function readChoice(
  text: string,
  traits: KeyTraits,
  account: { readonly partition: string; readonly accountId: string },
): PolicyChoice | undefined {
  const document = parsed(text)
  if (document?.Id !== id || !Array.isArray(document.Statement)) return undefined
  const principals = (sid: string): readonly string[] =>
    [document.Statement.find(({ Sid }) => Sid === sid)?.Principal?.AWS ?? []].flat()
  const root = /^arn:[\w-]+:iam::(\d{12}):root$/
  const using = principals(sids.use)
  const actions = [document.Statement.find(({ Sid }) => Sid === sids.admins)?.Action ?? []].flat()
  const choice: PolicyChoice = {
    admins: principals(sids.admins),
    adminsDelete: actions.includes('kms:ScheduleKeyDeletion'),
    users: using.filter((arn) => !root.test(arn)),
    accounts: using.flatMap((arn) => root.exec(arn)?.[1] ?? []),
  }
  return canonical(buildPolicy(choice, traits, account)) === canonical(document)
    ? choice
    : undefined
}

function parsed(text: string): PolicyDocument | undefined {
  try {
    return JSON.parse(text) as PolicyDocument // the caller compares it with one of ours
  } catch {
    return undefined
  }
}

/** JSON with sorted members and lists: an order of principals or actions means nothing. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    const items = value.map(canonical).toSorted((one, other) => (one < other ? -1 : 1))
    return items.length === 1 ? (items[0] ?? '') : `[${items.join(',')}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`)
    .toSorted((one, other) => (one < other ? -1 : 1))
  return `{${members.join(',')}}`
}
