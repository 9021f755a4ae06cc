/**
 * Changes that may take something away, and that a log does not say enough about to repeat them: a record
 * names a policy, and does not hold it.
 * @module
 */
import {
  AddUserToGroupCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  AttachUserPolicyCommand,
  CreateAccountAliasCommand,
  CreatePolicyVersionCommand,
  DeleteAccountAliasCommand,
  DeleteGroupPolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteUserPermissionsBoundaryCommand,
  DetachUserPolicyCommand,
  PutGroupPolicyCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  SetDefaultPolicyVersionCommand,
  TagRoleCommand,
  TagUserCommand,
  UntagRoleCommand,
  UntagUserCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateGroupCommand,
  UpdateOpenIDConnectProviderThumbprintCommand,
  UpdateRoleCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyPolicyCommand,
  PutKeyPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import {
  allowed,
  groupOf,
  policyOf,
  providerOf,
  accountId,
  roleOf,
  trust,
  userOf,
  type World,
} from './lost-world.ts'
import { newKey } from './lost-server.ts'

type Acts = Readonly<Record<string, () => Promise<unknown>>>

/** By the event, in the order to act. */
export async function narrowings(world: World): Promise<Acts> {
  return { ...(await ofKeys(world)), ...(await ofIdentities(world)), ...(await ofOthers(world)) }
}

async function ofKeys(world: World): Promise<Acts> {
  const { kms, ask } = world
  const [KeyId, other] = [await newKey(world), await newKey(world)]
  const AliasName = 'alias/narrowed'
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
  await kms.send(new EnableKeyRotationCommand({ KeyId }))
  const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
  const narrower = Policy.replace('kms:*', 'kms:Put*')
  const tag = { TagKey: 'team', TagValue: 'blue' }
  return {
    UpdateAlias: () => kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: other })),
    DisableKeyRotation: () => kms.send(new DisableKeyRotationCommand({ KeyId })),
    TagResource: () => kms.send(new TagResourceCommand({ KeyId, Tags: [tag] })),
    UntagResource: () => kms.send(new UntagResourceCommand({ KeyId, TagKeys: [tag.TagKey] })),
    PutKeyPolicy: () => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: narrower })),
    UnlockKey: () =>
      ask('UnlockKey', { keyArn: `arn:aws:kms:us-west-2:${accountId}:key/${KeyId}` }),
  }
}

async function ofIdentities(world: World): Promise<Acts> {
  const { iam, ask } = world
  const user = await userOf(world, 'narrowed')
  const role = await roleOf(world, 'narrowed')
  const group = await groupOf(world, 'narrowed')
  const policy = await policyOf(world, 'narrowed')
  const inline = { PolicyName: 'later', PolicyDocument: allowed }
  const boundary = { PermissionsBoundary: policy.PolicyArn }
  const Tags = [{ Key: 'team', Value: 'blue' }]
  const TagKeys = ['team']
  const version = { ...policy, PolicyDocument: allowed, SetAsDefault: true }
  return {
    UpdateAssumeRolePolicy: () =>
      iam.send(new UpdateAssumeRolePolicyCommand({ ...role, PolicyDocument: trust })),
    PutUserPolicy: () => iam.send(new PutUserPolicyCommand({ ...user, ...inline })),
    PutRolePolicy: () => iam.send(new PutRolePolicyCommand({ ...role, ...inline })),
    PutGroupPolicy: () => iam.send(new PutGroupPolicyCommand({ ...group, ...inline })),
    AttachUserPolicy: () => iam.send(new AttachUserPolicyCommand({ ...user, ...policy })),
    AttachRolePolicy: () => iam.send(new AttachRolePolicyCommand({ ...role, ...policy })),
    AttachGroupPolicy: () => iam.send(new AttachGroupPolicyCommand({ ...group, ...policy })),
    AddUserToGroup: () => iam.send(new AddUserToGroupCommand({ ...user, ...group })),
    CreatePolicyVersion: () => iam.send(new CreatePolicyVersionCommand(version)),
    SetDefaultPolicyVersion: () =>
      iam.send(new SetDefaultPolicyVersionCommand({ ...policy, VersionId: 'v1' })),
    PutUserPermissionsBoundary: () =>
      iam.send(new PutUserPermissionsBoundaryCommand({ ...user, ...boundary })),
    DeleteUserPermissionsBoundary: () => iam.send(new DeleteUserPermissionsBoundaryCommand(user)),
    PutRolePermissionsBoundary: () =>
      iam.send(new PutRolePermissionsBoundaryCommand({ ...role, ...boundary })),
    DeleteRolePermissionsBoundary: () => iam.send(new DeleteRolePermissionsBoundaryCommand(role)),
    TagUser: () => iam.send(new TagUserCommand({ ...user, Tags })),
    UntagUser: () => iam.send(new UntagUserCommand({ ...user, TagKeys })),
    TagRole: () => iam.send(new TagRoleCommand({ ...role, Tags })),
    UntagRole: () => iam.send(new UntagRoleCommand({ ...role, TagKeys })),
    UpdateUser: () => iam.send(new UpdateUserCommand({ ...user, NewUserName: 'renamed' })),
    UpdateRole: () => iam.send(new UpdateRoleCommand({ ...role, MaxSessionDuration: 7200 })),
    UpdateGroup: () => iam.send(new UpdateGroupCommand({ ...group, NewGroupName: 'renamed' })),
    // From here on, their names are not those in the backup.
    DetachUserPolicy: () =>
      iam.send(new DetachUserPolicyCommand({ UserName: 'renamed', ...policy })),
    RemoveUserFromGroup: () =>
      iam.send(new RemoveUserFromGroupCommand({ UserName: 'renamed', GroupName: 'renamed' })),
    DeleteGroupPolicy: () =>
      iam.send(new DeleteGroupPolicyCommand({ GroupName: 'renamed', PolicyName: 'later' })),
    RevokeSessions: () =>
      ask('RevokeSessions', { principalArn: `arn:aws:iam::${accountId}:user/a/renamed` }),
  }
}

async function ofOthers(world: World): Promise<Acts> {
  const { iam, ask } = world
  const provider = await providerOf(world, 'narrowed.example.com')
  const AccountAlias = 'narrowed'
  const ThumbprintList = ['ab'.repeat(20)]
  return {
    UpdateOpenIDConnectProviderThumbprint: () =>
      iam.send(new UpdateOpenIDConnectProviderThumbprintCommand({ ...provider, ThumbprintList })),
    CreateAccountAlias: () => iam.send(new CreateAccountAliasCommand({ AccountAlias })),
    DeleteAccountAlias: () => iam.send(new DeleteAccountAliasCommand({ AccountAlias })),
    UpdateAccount: () => ask('UpdateAccount', { accountId, leaveOrganization: true }),
    Apply: () =>
      ask('Apply', {
        document: { accounts: [{ accountId, users: [{ name: 'applied' }] }] },
      }),
  }
}
