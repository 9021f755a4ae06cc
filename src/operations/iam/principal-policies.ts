/** Collects all policies of a user, a group or a role for a simulation. @module */
import type { SimulatedPolicy } from '../../policy/simulate.ts'
import { isAwsManaged } from '../../model/aws-managed-policies.ts'
import { KmsError } from '../../errors.ts'
import { parseArn } from '../../model/arn.ts'
import { readIdentityResource, type IdentityRecord } from '../../model/identity.ts'
import { defaultDocument } from '../../model/managed-policy.ts'
import type { StoreReads } from '../../store/store.ts'
import { readSimulated } from './simulation.ts'

type Reads = Pick<
  StoreReads,
  'findUserByName' | 'findRoleByName' | 'findGroupByName' | 'findGroup' | 'findManagedPolicy'
>

export interface PrincipalPolicies {
  readonly uniqueId: string
  readonly identity: readonly SimulatedPolicy[]
  readonly boundary?: SimulatedPolicy
}

type Kind = 'user' | 'group' | 'role'

/** @throws {KmsError} `InvalidInputException`, `NoSuchEntityException` */
export async function policiesOfPrincipal(
  arn: string,
  accountId: string,
  store: Reads,
): Promise<PrincipalPolicies> {
  const parsed = parseArn(arn)
  const kinds: readonly Kind[] = ['user', 'group', 'role']
  const kind = kinds.find((each) => readIdentityResource(each, parsed?.resource ?? ''))
  if (parsed?.service !== 'iam' || kind === undefined) {
    throw new KmsError('InvalidInputException', `Invalid ARN: ${arn}`)
  }
  const named = readIdentityResource(kind, parsed.resource)
  const found =
    parsed.accountId === accountId && named
      ? await find(kind, accountId, named.name, store)
      : undefined
  if (found === undefined || found.record.path !== named?.path) {
    throw new KmsError('NoSuchEntityException', `The principal ${arn} cannot be found.`)
  }
  const { record, uniqueId, groups } = found
  const identity = await policiesOf(kind, record, store)
  for (const groupId of groups) {
    const group = await store.findGroup(groupId)
    if (group !== undefined) identity.push(...(await policiesOf('group', group, store)))
  }
  const { permissionsBoundary } = record
  const [boundary] =
    permissionsBoundary === undefined ? [] : await managed([permissionsBoundary], store)
  return { uniqueId, identity, ...(boundary && { boundary }) }
}

interface Found {
  readonly uniqueId: string
  readonly record: IdentityRecord
  readonly groups: readonly string[]
}

async function find(
  kind: Kind,
  accountId: string,
  name: string,
  store: Reads,
): Promise<Found | undefined> {
  if (kind === 'user') {
    const user = await store.findUserByName(accountId, name)
    return user && { uniqueId: user.userId, record: user, groups: user.groups }
  }
  if (kind === 'role') {
    const role = await store.findRoleByName(accountId, name)
    return role && { uniqueId: role.roleId, record: role, groups: [] }
  }
  const group = await store.findGroupByName(accountId, name)
  return group && { uniqueId: group.groupId, record: group, groups: [] }
}

async function policiesOf(
  kind: Kind,
  { name, inlinePolicies, attachedPolicies }: IdentityRecord,
  store: Reads,
): Promise<SimulatedPolicy[]> {
  const inline = Object.entries(inlinePolicies).map(([policyName, document]) =>
    readSimulated(`${kind}_${name}_${policyName}`, kind, document),
  )
  return [...inline, ...(await managed(attachedPolicies, store))]
}

async function managed(ids: readonly string[], store: Reads): Promise<SimulatedPolicy[]> {
  const found = await Promise.all(ids.map((id) => store.findManagedPolicy(id)))
  return found.flatMap((policy) => {
    const document = policy && defaultDocument(policy)
    return policy === undefined || document === undefined
      ? []
      : [
          readSimulated(
            policy.name,
            isAwsManaged(policy) ? 'aws-managed' : 'user-managed',
            document,
          ),
        ]
  })
}
