/**
 * What a deployment can take away, by the wire: each entry makes something, takes it away when it is asked,
 * and looks whether it is gone from a restored server.
 * @module
 */
import assert from 'node:assert/strict'
import {
  AddClientIDToOpenIDConnectProviderCommand,
  AddUserToGroupCommand,
  DeleteGroupCommand,
  DeleteOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteUserCommand,
  GetGroupCommand,
  GetOpenIDConnectProviderCommand,
  GetRoleCommand,
  GetUserCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  RemoveUserFromGroupCommand,
} from '@aws-sdk/client-iam'
import {
  CreateGrantCommand,
  ListGrantsCommand,
  ListKeysCommand,
  RetireGrantCommand,
} from '@aws-sdk/client-kms'
import { GetSessionTokenCommand } from '@aws-sdk/client-sts'
import type { CreatedAccount } from '../../src/operations/trent/create-account.ts'
import type { CreatedXksProxy } from '../../src/operations/trent/create-xks-proxy.ts'
import type { ListedServices } from '../../src/operations/trent/list-services.ts'
import type { ListedXksProxies } from '../../src/operations/trent/list-xks-proxies.ts'
import { failsWith, newKey, type Clients, type Credentials } from './lost-server.ts'
import {
  absent,
  accountId,
  credentialsOf,
  groupOf,
  providerOf,
  region,
  roleOf,
  userOf,
  type Loss,
  type World,
} from './lost-world.ts'
import { policyLosses } from './policy-losses.ts'

async function proxyOf(world: World, name: string) {
  const keyId = await newKey(world)
  const keys = [{ keyId, usages: ['ENCRYPT', 'DECRYPT'] }]
  const made = await world.ask('CreateXksProxy', { name, accountId, region, keys })
  const { proxyId, configuration } = made as CreatedXksProxy
  const { AccessKeyId: accessKeyId } = configuration.XksProxyAuthenticationCredential
  const of = async ({ ask }: World) => {
    const { proxies } = (await ask('ListXksProxies')) as ListedXksProxies
    return proxies.find((each) => each.proxyId === proxyId)
  }
  return { keyId, proxyId, accessKeyId, of }
}

async function grantOf(world: Clients, userName: string) {
  const { kms } = world
  const KeyId = await newKey(world)
  const { UserName } = await userOf(world, userName)
  const { GrantId, GrantToken } = await kms.send(
    new CreateGrantCommand({
      KeyId,
      GranteePrincipal: `arn:aws:iam::${accountId}:user/a/${UserName}`,
      Operations: ['Decrypt'],
    }),
  )
  const isGone = async (restored: World): Promise<void> => {
    const { Grants } = await restored.kms.send(new ListGrantsCommand({ KeyId }))
    assert.deepEqual(Grants, [])
  }
  return { KeyId, GrantId, GrantToken, isGone }
}

const ofGrants: Readonly<Record<string, (world: World) => Promise<Loss>>> = {
  async RetireGrant(world) {
    const { KeyId, GrantId, isGone } = await grantOf(world, 'grantee')
    return { take: () => world.kms.send(new RetireGrantCommand({ KeyId, GrantId })), isGone }
  },
  async 'RetireGrant by a token'(world) {
    const { GrantToken, isGone } = await grantOf(world, 'token')
    return { take: () => world.kms.send(new RetireGrantCommand({ GrantToken })), isGone }
  },
}

const ofIdentities: Readonly<Record<string, (world: World) => Promise<Loss>>> = {
  async RemoveUserFromGroup(world) {
    const of = { ...(await userOf(world, 'member')), ...(await groupOf(world, 'left')) }
    await world.iam.send(new AddUserToGroupCommand(of))
    return {
      take: () => world.iam.send(new RemoveUserFromGroupCommand(of)),
      async isGone({ iam }) {
        assert.deepEqual((await iam.send(new GetGroupCommand(of))).Users ?? [], [])
      },
    }
  },
  async DeleteGroup(world) {
    const of = await groupOf(world, 'gone')
    return {
      take: () => world.iam.send(new DeleteGroupCommand(of)),
      isGone: absent((iam) => iam.send(new GetGroupCommand(of))),
    }
  },
  async DeleteUser(world) {
    const of = await userOf(world, 'gone')
    return {
      take: () => world.iam.send(new DeleteUserCommand(of)),
      isGone: absent((iam) => iam.send(new GetUserCommand(of))),
    }
  },
  async DeleteRole(world) {
    const of = await roleOf(world, 'gone')
    return {
      take: () => world.iam.send(new DeleteRoleCommand(of)),
      isGone: absent((iam) => iam.send(new GetRoleCommand(of))),
    }
  },
  async DeleteOpenIDConnectProvider(world) {
    const of = await providerOf(world, 'gone.example.com')
    return {
      take: () => world.iam.send(new DeleteOpenIDConnectProviderCommand(of)),
      isGone: absent((iam) => iam.send(new GetOpenIDConnectProviderCommand(of))),
    }
  },
  async RemoveClientIDFromOpenIDConnectProvider(world) {
    const of = await providerOf(world, 'audience.example.com')
    return {
      async take() {
        const added = { ...of, ClientID: 'c' }
        await world.iam.send(new AddClientIDToOpenIDConnectProviderCommand(added))
        const removed = { ...of, ClientID: 'b' }
        await world.iam.send(new RemoveClientIDFromOpenIDConnectProviderCommand(removed))
      },
      async isGone({ iam }) {
        const { ClientIDList } = await iam.send(new GetOpenIDConnectProviderCommand(of))
        assert.deepEqual(ClientIDList, ['a'])
      },
    }
  },
  async RevokeSessions(world) {
    const { UserName } = await userOf(world, 'session')
    const { sts } = world.as(await credentialsOf(world, UserName))
    const { Credentials } = await sts.send(new GetSessionTokenCommand({}))
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
    const session = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    }
    const principalArn = `arn:aws:iam::${accountId}:user/a/${UserName}`
    return {
      take: () => world.ask('RevokeSessions', { principalArn }),
      isGone: (restored) => isUnknown(restored, session),
    }
  },
}

const ofOperators: Readonly<Record<string, (world: World) => Promise<Loss>>> = {
  async ResetRoot(world) {
    const made = (await world.ask('CreateAccount')) as CreatedAccount
    return {
      take: () => world.ask('ResetRoot', { accountId: made.accountId }),
      isGone: (restored) => isUnknown(restored, made),
    }
  },
  async DeregisterService(world) {
    const of = { name: 'storage.amazonaws.com', region }
    await world.ask('RegisterService', of)
    return {
      take: () => world.ask('DeregisterService', of),
      async isGone({ ask }) {
        assert.deepEqual(((await ask('ListServices')) as ListedServices).services, [])
      },
    }
  },
  async RevokeXksProxy(world) {
    const { proxyId, of } = await proxyOf(world, 'gone')
    return {
      take: () => world.ask('RevokeXksProxy', { proxyId }),
      isGone: async (restored) => assert.equal(await of(restored), undefined),
    }
  },
  async 'RevokeXksProxy of a credential'(world) {
    const { proxyId, accessKeyId, of } = await proxyOf(world, 'credential')
    return {
      async take() {
        await world.ask('RotateXksProxyCredential', { proxyId })
        await world.ask('RevokeXksProxy', { proxyId, accessKeyId })
      },
      isGone: async (restored) => assert.deepEqual((await of(restored))?.credentials, []),
    }
  },
  async 'RevokeXksProxy of a key'(world) {
    const { proxyId, keyId, of } = await proxyOf(world, 'key')
    return {
      take: () => world.ask('RevokeXksProxy', { proxyId, keyId }),
      isGone: async (restored) => assert.deepEqual((await of(restored))?.keys, []),
    }
  },
  async ExportXksKey(world) {
    const { proxyId, keyId, of } = await proxyOf(world, 'usage')
    const usages = ['ENCRYPT']
    return {
      take: () => world.ask('ExportXksKey', { proxyId, keyId, usages }),
      isGone: async (restored) => assert.deepEqual((await of(restored))?.keys, [{ keyId, usages }]),
    }
  },
}

async function isUnknown(restored: World, credentials: Credentials): Promise<void> {
  const { kms } = restored.as(credentials)
  await failsWith(kms.send(new ListKeysCommand({})), 'UnrecognizedClientException')
}

/** By the event, which may come in several forms. */
export const losses = { ...ofGrants, ...policyLosses, ...ofIdentities, ...ofOperators }
