/**
 * Finds the users, groups and roles that IAM calls name. They are looked up before authorization, but
 * the caller learns about them only after it.
 * @module
 */
import { KmsError } from '../errors.ts'
import { formatArn } from '../model/arn.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { Caller } from '../model/caller.ts'
import { identityArn, type IdentityKind, type IdentityRecord } from '../model/identity.ts'
import { managedPolicyArn } from '../model/managed-policy.ts'
import type { GroupRecord } from '../model/group.ts'
import type { RoleRecord } from '../model/role.ts'
import type { UserRecord } from '../model/user.ts'
import type { IdentityUse, Operation } from '../operations/contract/operation.ts'
import type { StoreReads } from '../store/store.ts'
import type { RequestScope } from '../model/identifiers.ts'
import { tagEntries } from '../cache/cached-identities.ts'
import type { ContextEntries } from '../operations/contract/call.ts'

export interface NamedIdentity {
  readonly kind: IdentityKind
  readonly action: string
  readonly arn: string
  /** The resource's name in AWS's refusal: `user Bob`, or an ARN when it does not exist yet. */
  readonly shown: string
  /** The name that must exist; absent when none has to. */
  readonly required?: string
  readonly exists: boolean
  /** The identity's tags and permissions boundary, as condition keys. */
  readonly entries: ContextEntries
}

/**
 * The identities that an operation names. A record is absent when it does not exist, or when the caller
 * is meant and is not a user.
 */
export interface NamedIdentities {
  readonly named: readonly NamedIdentity[]
  readonly records: {
    readonly user?: UserRecord
    readonly role?: RoleRecord
    readonly group?: GroupRecord
  }
}

interface Naming {
  readonly caller: Caller
  readonly scope: RequestScope
}

type Given = Readonly<Record<string, unknown>>
type Reads = Pick<
  StoreReads,
  'findUser' | 'findUserByName' | 'findRoleByName' | 'findGroupByName' | 'findManagedPolicy'
>

/** Finds the identities of a call. */
export function resolveIdentities(
  naming: Naming,
  uses: Pick<Operation, IdentityKind>,
  input: Given,
  store: Reads,
): Awaitable<NamedIdentities> {
  const { user, role, group } = uses
  return user === undefined && role === undefined && group === undefined
    ? noIdentities
    : findIdentities(naming, uses, input, store)
}

const noIdentities: NamedIdentities = { named: [], records: {} }

async function findIdentities(
  naming: Naming,
  { user, role, group }: Pick<Operation, IdentityKind>,
  input: Given,
  store: Reads,
): Promise<NamedIdentities> {
  const { accountId } = naming.scope
  const named: NamedIdentity[] = []
  const records: { user?: UserRecord; role?: RoleRecord; group?: GroupRecord } = {}
  if (user !== undefined) {
    const name = givenName(user, input)
    const found =
      name !== undefined
        ? await store.findUserByName(accountId, name)
        : meansCaller(user, input) && naming.caller.kind === 'user'
          ? await store.findUser(naming.caller.uniqueId)
          : undefined
    named.push(...(await namedIdentities('user', naming, user, input, found, store)))
    if (found !== undefined) records.user = found
  }
  if (role !== undefined) {
    const name = givenName(role, input)
    const found = name === undefined ? undefined : await store.findRoleByName(accountId, name)
    named.push(...(await namedIdentities('role', naming, role, input, found, store)))
    if (found !== undefined) records.role = found
  }
  if (group !== undefined) {
    const name = givenName(group, input)
    const found = name === undefined ? undefined : await store.findGroupByName(accountId, name)
    named.push(...(await namedIdentities('group', naming, group, input, found, store)))
    if (found !== undefined) records.group = found
  }
  return { named, records }
}

/**
 * The name of an identity that should exist; undefined for one that the call creates, or when the name
 * is absent.
 */
function givenName({ from, absent }: IdentityUse, input: Given): string | undefined {
  const given = input[from]
  return absent === 'made' || typeof given !== 'string' ? undefined : given
}

function meansCaller({ from, absent }: IdentityUse, input: Given): boolean {
  return absent === 'caller' && input[from] === undefined
}

/** The named identity and, when the call changes its name or path, the identity under the new name. */
async function namedIdentities(
  ...naming: Parameters<typeof namedIdentity>
): Promise<readonly NamedIdentity[]> {
  const named = await namedIdentity(...naming)
  const [kind, { scope }, { from, becomes }, input, record] = naming
  if (becomes === undefined) return [named]
  const given = (member: string): string | undefined => {
    const value = input[member]
    return typeof value === 'string' ? value : undefined
  }
  const name = given(becomes.name) ?? record?.name ?? given(from) ?? ''
  const path = given(becomes.path) ?? record?.path ?? '/'
  const arn = identityArn(scope.partition, kind, { accountId: scope.accountId, path, name })
  return arn === named.arn ? [named] : [named, { ...named, arn }]
}

async function namedIdentity(
  kind: IdentityKind,
  { caller, scope: { partition, accountId } }: Naming,
  use: IdentityUse,
  input: Given,
  record: IdentityRecord | undefined,
  store: Reads,
): Promise<NamedIdentity> {
  const { action } = use
  const exists = record !== undefined
  if (use.absent === 'made') {
    const path = typeof input['Path'] === 'string' ? input['Path'] : '/'
    const name = String(input[use.from])
    const arn = identityArn(partition, kind, { accountId, path, name })
    return { kind, action, arn, shown: arn, exists, entries: {} }
  }
  const entries = record === undefined ? {} : await entriesOf(record, action, partition, store)
  if (meansCaller(use, input)) {
    const { arn, userName } = caller
    // Only a user or a root user can be meant by an absent name.
    if (caller.kind !== 'user' && caller.kind !== 'root') {
      const message = 'Must specify userName when calling with non-User credentials'
      throw new KmsError('ValidationException', message)
    }
    const required = userName === undefined ? {} : { required: userName }
    return { kind, action, arn, shown: arn, exists, ...required, entries }
  }
  const name = String(input[use.from])
  const arn = identityArn(partition, kind, record ?? { accountId, path: '/', name })
  return { kind, action, arn, shown: `${kind} ${name}`, required: name, exists, entries }
}

/**
 * Only these actions support `iam:PermissionsBoundary` for the existing boundary. For others the key is
 * absent, so a policy that allows on its condition does not allow them.
 * @see
 *   https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
 */
const boundaryActions: ReadonlySet<string> = new Set(
  ['User', 'Role'].flatMap((kind) => [
    `iam:Attach${kind}Policy`,
    `iam:Delete${kind}PermissionsBoundary`,
    `iam:Delete${kind}Policy`,
    `iam:Detach${kind}Policy`,
    `iam:Put${kind}Policy`,
  ]),
)

/** Condition keys of the identity: its tags, and its permissions boundary. */
async function entriesOf(
  record: IdentityRecord,
  action: string,
  partition: string,
  store: Reads,
): Promise<ContextEntries> {
  const { permissionsBoundary } = record
  const boundary =
    permissionsBoundary === undefined || !boundaryActions.has(action)
      ? undefined
      : await store.findManagedPolicy(permissionsBoundary)
  return {
    ...tagEntries('aws:ResourceTag', record),
    ...tagEntries('iam:ResourceTag', record),
    ...(boundary && { 'iam:PermissionsBoundary': managedPolicyArn(partition, boundary) }),
  }
}

/** @throws {KmsError} `NoSuchEntityException` */
export function requireIdentities({ named }: NamedIdentities): void {
  const missing = named.find(({ required, exists }) => required !== undefined && !exists)
  if (missing === undefined) return
  const message = `The ${missing.kind} with name ${missing.required ?? ''} cannot be found.`
  throw new KmsError('NoSuchEntityException', message)
}

/** The ARN of an IAM resource in the caller's account. */
export function iamArn({ partition, accountId }: RequestScope, resource: string): string {
  return formatArn({ partition, service: 'iam', region: '', accountId, resource })
}

/** The ARN of an STS resource: a federated user. */
export function stsArn({ partition, accountId }: RequestScope, resource: string): string {
  return formatArn({ partition, service: 'sts', region: '', accountId, resource })
}

/** The ARN of a CloudTrail resource in the call's Region. */
export function trailResourceArn(
  { partition, accountId, region }: RequestScope,
  resource: string,
): string {
  return formatArn({ partition, service: 'cloudtrail', region, accountId, resource })
}
