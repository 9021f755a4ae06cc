/** Policies that are taken away from users, roles, groups and accounts. @module */
import assert from 'node:assert/strict'
import {
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreatePolicyVersionCommand,
  DeleteGroupPolicyCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRolePolicyCommand,
  DeleteUserPolicyCommand,
  DetachGroupPolicyCommand,
  DetachRolePolicyCommand,
  DetachUserPolicyCommand,
  GetGroupPolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRolePolicyCommand,
  GetUserPolicyCommand,
  ListAttachedGroupPoliciesCommand,
  ListAttachedRolePoliciesCommand,
  ListAttachedUserPoliciesCommand,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  absent,
  allowed,
  groupOf,
  policyOf,
  roleOf,
  userOf,
  type Loss,
  type World,
} from './lost-world.ts'

/** By the event. */
export const policyLosses: Readonly<Record<string, (world: World) => Promise<Loss>>> = {
  async DeleteUserPolicy(world) {
    const of = { ...(await userOf(world, 'inline')), PolicyName: 'inline' }
    await world.iam.send(new PutUserPolicyCommand({ ...of, PolicyDocument: allowed }))
    return {
      take: () => world.iam.send(new DeleteUserPolicyCommand(of)),
      isGone: absent((iam) => iam.send(new GetUserPolicyCommand(of))),
    }
  },
  async DeleteRolePolicy(world) {
    const of = { ...(await roleOf(world, 'inline')), PolicyName: 'inline' }
    await world.iam.send(new PutRolePolicyCommand({ ...of, PolicyDocument: allowed }))
    return {
      take: () => world.iam.send(new DeleteRolePolicyCommand(of)),
      isGone: absent((iam) => iam.send(new GetRolePolicyCommand(of))),
    }
  },
  async DeleteGroupPolicy(world) {
    const of = { ...(await groupOf(world, 'inline')), PolicyName: 'inline' }
    await world.iam.send(new PutGroupPolicyCommand({ ...of, PolicyDocument: allowed }))
    return {
      take: () => world.iam.send(new DeleteGroupPolicyCommand(of)),
      isGone: absent((iam) => iam.send(new GetGroupPolicyCommand(of))),
    }
  },
  async DetachUserPolicy(world) {
    const user = await userOf(world, 'attached')
    const of = { ...user, ...(await policyOf(world, 'of-user')) }
    await world.iam.send(new AttachUserPolicyCommand(of))
    return {
      take: () => world.iam.send(new DetachUserPolicyCommand(of)),
      async isGone({ iam }) {
        const found = await iam.send(new ListAttachedUserPoliciesCommand(user))
        assert.deepEqual(found.AttachedPolicies ?? [], [])
      },
    }
  },
  async DetachRolePolicy(world) {
    const role = await roleOf(world, 'attached')
    const of = { ...role, ...(await policyOf(world, 'of-role')) }
    await world.iam.send(new AttachRolePolicyCommand(of))
    return {
      take: () => world.iam.send(new DetachRolePolicyCommand(of)),
      async isGone({ iam }) {
        const found = await iam.send(new ListAttachedRolePoliciesCommand(role))
        assert.deepEqual(found.AttachedPolicies ?? [], [])
      },
    }
  },
  async DetachGroupPolicy(world) {
    const group = await groupOf(world, 'attached')
    const of = { ...group, ...(await policyOf(world, 'of-group')) }
    await world.iam.send(new AttachGroupPolicyCommand(of))
    return {
      take: () => world.iam.send(new DetachGroupPolicyCommand(of)),
      async isGone({ iam }) {
        const found = await iam.send(new ListAttachedGroupPoliciesCommand(group))
        assert.deepEqual(found.AttachedPolicies ?? [], [])
      },
    }
  },
  async DeletePolicyVersion(world) {
    const policy = await policyOf(world, 'versions')
    await world.iam.send(new CreatePolicyVersionCommand({ ...policy, PolicyDocument: allowed }))
    const of = { ...policy, VersionId: 'v2' }
    return {
      take: () => world.iam.send(new DeletePolicyVersionCommand(of)),
      isGone: absent((iam) => iam.send(new GetPolicyVersionCommand(of))),
    }
  },
  async DeletePolicy(world) {
    const of = await policyOf(world, 'gone')
    return {
      take: () => world.iam.send(new DeletePolicyCommand(of)),
      isGone: absent((iam) => iam.send(new GetPolicyCommand(of))),
    }
  },
}
