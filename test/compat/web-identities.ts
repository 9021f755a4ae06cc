/** A server, a provider of the test's own, and a role that trusts it: for the tests of web identity. @module */
import { CreateOpenIDConnectProviderCommand } from '@aws-sdk/client-iam'
import {
  AssumeRoleWithWebIdentityCommand,
  STSClient,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
} from '@aws-sdk/client-sts'
import { audience, startIssuer, type Issuer } from '../authenticate/issuer.ts'
import { openIdentities, type Identities } from './identities.ts'

export interface WebIdentities extends Identities {
  readonly issuer: Issuer
  /** Of `issuer`, for its `audience`. */
  readonly providerArn: string
  /** A role that trusts subjects of it that begin with `job-`. */
  readonly roleArn: string
  readonly newProvider: (url: string, clientIds?: string[]) => Promise<string>
  /** Whoever the provider vouches for and `condition` allows may assume it, and use KMS. */
  readonly newTrusted: (name: string, provider: string, condition: object) => Promise<string>
  readonly assume: (
    token: string,
    more?: Partial<AssumeRoleWithWebIdentityCommandInput>,
  ) => Promise<AssumeRoleWithWebIdentityCommandOutput>
}

/** As condition keys have it. */
export function nameOf({ url }: { readonly url: string }): string {
  return url.replace(/^https?:\/\//, '')
}

/** @param hosts of more providers at private addresses */
export async function openWebIdentities(
  t: { after(end: () => Promise<void>): void },
  hosts: readonly string[] = [],
): Promise<WebIdentities> {
  const issuer = await startIssuer('/team')
  t.after(() => issuer.close())
  const TRENT_WEB_IDENTITY_HOSTS = [issuer.host, ...hosts].join(',')
  const identities = await openIdentities(t, { TRENT_WEB_IDENTITY_HOSTS })
  const { root, newRole, server } = identities
  // No credentials at all: nothing of the call is signed.
  const sts = new STSClient({ endpoint: server.url, region: 'us-west-2', maxAttempts: 1 })
  const newProvider: WebIdentities['newProvider'] = async (Url, ClientIDList = [audience]) => {
    const command = new CreateOpenIDConnectProviderCommand({ Url, ClientIDList })
    return (await root.iam.send(command)).OpenIDConnectProviderArn ?? ''
  }
  const newTrusted: WebIdentities['newTrusted'] = async (name, Federated, Condition) => {
    const Action = 'sts:AssumeRoleWithWebIdentity'
    const trust = { Effect: 'Allow', Principal: { Federated }, Action, Condition }
    return (await newRole(name, trust, { Action: 'kms:*' })).arn
  }
  const providerArn = await newProvider(issuer.url)
  const roleArn = await newTrusted('job', providerArn, {
    StringEquals: { [`${nameOf(issuer)}:aud`]: audience },
    StringLike: { [`${nameOf(issuer)}:sub`]: 'job-*' },
  })
  return {
    ...identities,
    issuer,
    providerArn,
    roleArn,
    newProvider,
    newTrusted,
    assume(WebIdentityToken, more = {}) {
      const input = { RoleArn: roleArn, RoleSessionName: 'ci', WebIdentityToken, ...more }
      return sts.send(new AssumeRoleWithWebIdentityCommand(input))
    },
  }
}
