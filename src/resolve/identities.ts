/**
 * Users, groups and roles that calls of IAM name: found before the call is authorized, told of only after it.
 * @module
 */
import { KmsError } from '../errors.ts'
import { formatArn } from '../model/arn.ts'
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
  /** How AWS's refusal names the resource: `user Bob`, an ARN where one is yet to be made. */
  readonly shown: string
  /** The name that must be somebody's; absent where none need be. */
  readonly required?: string
  readonly exists: boolean
  /** The identity's tags and boundary, as condition keys. */
  readonly entries: ContextEntries
}

/** What an operation names; a record is absent when there is none, or the caller is meant and is none. */
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

/** The identities that the call is about. */
export async function resolveIdentities(
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

/** The name of somebody who is looked for; undefined for one yet to be made, and where it is left out. */
function givenName({ from, absent }: IdentityUse, input: Given): string | undefined {
  const given = input[from]
  return absent === 'made' || typeof given !== 'string' ? undefined : given
}

function meansCaller({ from, absent }: IdentityUse, input: Given): boolean {
  return absent === 'caller' && input[from] === undefined
}

/** Who is named and, where it gets another name or path, who it becomes. */
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
    // Only a user and a root user are somebody who can be meant.
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
 * The actions whose conditions can ask for the boundary that there is: to others it is no key, and what
 * is allowed on its condition is not allowed to them.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
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

/** What conditions can ask of the identity: its tags, and the boundary that it has. */
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

/** The ARN of what IAM holds in the caller's account. */
export function iamArn({ partition, accountId }: RequestScope, resource: string): string {
  return formatArn({ partition, service: 'iam', region: '', accountId, resource })
}

/** The same of STS: its federated users. */
export function stsArn({ partition, accountId }: RequestScope, resource: string): string {
  return formatArn({ partition, service: 'sts', region: '', accountId, resource })
}

/** The same of CloudTrail, in the call's Region. */
export function trailResourceArn(
  { partition, accountId, region }: RequestScope,
  resource: string,
): string {
  return formatArn({ partition, service: 'cloudtrail', region, accountId, resource })
}
