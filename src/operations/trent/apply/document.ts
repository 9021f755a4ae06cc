/**
 * The shape of an applied document: accounts with their resources. Members have AWS's names in camelCase.
 * The operations that set a member also define its limits.
 * @module
 */
import { levelsMax, policiesOfLevelMax } from '../../../model/organization.ts'
import type { Input } from '../../../model/shape.ts'
import {
  blob,
  boolean,
  integer,
  list,
  oneOf,
  required,
  stringMap,
  structure,
  text,
} from '../../../model/shape.ts'
import * as iam from '../../iam/members.ts'
import { clientIds, providerUrl, thumbprints } from '../../iam/oidc-provider.ts'
import { createKey } from '../../kms/create-key.ts'
import * as kms from '../../kms/members.ts'
import { organizationMembers } from '../account-organization.ts'
import { anything, anythingByName } from './read-strictly.ts'

/** Maximum length of each list. Resource quotas apply in addition. */
const listMax = 2000

const accessKey = structure({
  accessKeyId: required(text({ min: 3, max: 128, pattern: '^\\w+$' })),
  secretAccessKey: required(
    text({ min: 8, max: 128, pattern: '^[\\u0021-\\u007E]+$', sensitive: true }),
  ),
})
const accessKeys = list(accessKey, { max: 2 })
const names = list(text({ min: 1, max: 2048 }), { max: 100 })

/** Members that users, groups and roles have. */
const holder = { path: iam.path, policies: anythingByName(), attachedPolicies: names }
/** Members that users and roles have. */
const principal = { ...holder, permissionsBoundary: text({ min: 1, max: 2048 }), tags: stringMap() }

const managedPolicy = structure({
  name: required(iam.policyName),
  path: iam.path,
  description: text({ max: 1000 }),
  document: required(anything()),
  tags: stringMap(),
})
const group = structure({ name: required(iam.groupName), ...holder })
const user = structure({
  name: required(iam.newUserName),
  ...principal,
  groups: names,
  accessKeys,
})
const role = structure({
  name: required(iam.roleName),
  ...principal,
  trustPolicy: required(anything()),
  description: iam.roleDescription,
  maxSessionDuration: iam.maxSessionDuration,
})
const oidcProvider = structure({
  url: required(providerUrl),
  clientIds,
  thumbprints,
  tags: stringMap(),
})

const grant = structure({
  name: required(kms.grantName),
  granteePrincipal: kms.principal,
  granteeServicePrincipal: kms.servicePrincipal,
  retiringPrincipal: kms.principal,
  retiringServicePrincipal: kms.servicePrincipal,
  operations: required(kms.grantOperationList),
  constraints: structure({
    encryptionContextSubset: stringMap(),
    encryptionContextEquals: stringMap(),
    sourceArn: text({ min: 20, max: 512 }),
  }),
})

/** Members that a key and each of its replicas have on their own. */
const regional = {
  enabled: boolean(),
  description: kms.description,
  policy: anything(),
  bypassPolicyLockoutSafetyCheck: boolean(),
  tags: stringMap(),
  aliases: list(kms.aliasName, { max: 256 }),
  grants: list(grant, { max: listMax }),
}
const replica = structure({ region: required(kms.regionName), ...regional })
const material = blob({ min: 1, max: 6144, sensitive: true })
/** A key can be rotated on demand 25 times. */
const earlierMax = 25

const { KeySpec, KeyUsage } = createKey.input
const key = structure({
  keyId: required(
    text({
      min: 36,
      max: 36,
      pattern: '^(mrk-[0-9a-f]{32}|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})$',
    }),
  ),
  region: kms.regionName,
  keySpec: KeySpec,
  keyUsage: KeyUsage,
  origin: oneOf(['AWS_KMS', 'EXTERNAL']),
  multiRegion: boolean(),
  /** The current material, and earlier ones, oldest first. */
  material,
  earlierMaterials: list(material, { max: earlierMax }),
  enableKeyRotation: boolean(),
  rotationPeriodInDays: integer({ min: 90, max: 2560 }),
  ...regional,
  replicas: list(replica, { max: 64 }),
})

const account = structure({
  accountId: required(text({ pattern: '^[0-9]{12}$' })),
  alias: iam.accountAlias,
  organizationId: organizationMembers.organizationId,
  organizationUnit: organizationMembers.organizationUnit,
  /** One list for each level, from the root to the account. */
  serviceControlPolicies: list(list(anything(), { min: 1, max: policiesOfLevelMax }), {
    max: levelsMax,
  }),
  resourceControlPolicies: list(anything(), { max: levelsMax * policiesOfLevelMax }),
  accessKeys,
  policies: list(managedPolicy, { max: listMax }),
  groups: list(group, { max: listMax }),
  users: list(user, { max: listMax }),
  roles: list(role, { max: listMax }),
  oidcProviders: list(oidcProvider, { max: listMax }),
  keys: list(key, { max: listMax }),
})

export const documentShape = structure({ accounts: required(list(account, { max: 100 })) })

type Read<M> = M extends { read(...given: never[]): infer T } ? T : never
export type ApplyDocument = Read<typeof documentShape>
export type AccountEntry = ApplyDocument['accounts'][number]
export type AccessKeyEntry = NonNullable<AccountEntry['accessKeys']>[number]
export type PolicyEntry = NonNullable<AccountEntry['policies']>[number]
export type GroupEntry = NonNullable<AccountEntry['groups']>[number]
export type UserEntry = NonNullable<AccountEntry['users']>[number]
export type RoleEntry = NonNullable<AccountEntry['roles']>[number]
export type ProviderEntry = NonNullable<AccountEntry['oidcProviders']>[number]
export type KeyEntry = NonNullable<AccountEntry['keys']>[number]
export type ReplicaEntry = NonNullable<KeyEntry['replicas']>[number]
export type RegionalEntry = Input<typeof regional>
export type GrantEntry = NonNullable<RegionalEntry['grants']>[number]
