/**
 * CreateOpenIDConnectProvider — registers an OpenID Connect provider, so that roles of the account
 * can trust its identity tokens.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
 * @module
 */
import type {
  CreateOpenIDConnectProviderRequest,
  CreateOpenIDConnectProviderResponse,
} from '@aws-sdk/client-iam'
import { KmsError } from '../../errors.ts'
import { oidcProviderArn, readIssuer } from '../../model/oidc-provider.ts'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import { checkTags, tags } from './members.ts'
import {
  checkIssuer,
  clientIds,
  clientIdsOf,
  providerUrl,
  thumbprints,
  thumbprintsOf,
} from './oidc-provider.ts'
import { requestTags } from './shown-user.ts'
import { refuseTaken } from './taken-name.ts'

export const providersMax = 100

export const createOpenIdConnectProvider = iamOperation<
  CreateOpenIDConnectProviderRequest,
  CreateOpenIDConnectProviderResponse
>()({
  name: 'CreateOpenIDConnectProvider',
  input: {
    Url: required(providerUrl),
    ClientIDList: clientIds,
    ThumbprintList: thumbprints,
    Tags: tags,
  },
  permissions: ({ Url, Tags = [] }) =>
    [
      'iam:CreateOpenIDConnectProvider',
      ...(Tags.length > 0 ? ['iam:TagOpenIDConnectProvider'] : []),
    ].map((action) => ({ action, iamResource: `oidc-provider/${nameOf(Url)}` })),
  context: ({ Tags }) => requestTags(Tags),
  readOnly: false,
  audit: ['Url', 'ClientIDList', 'ThumbprintList', 'Tags'],
  auditResponse: ({ OpenIDConnectProviderArn: openIDConnectProviderArn }) => ({
    openIDConnectProviderArn,
  }),
  throws: [
    'ValidationException',
    'InvalidInputException',
    'AccessDeniedException',
    'EntityAlreadyExistsException',
    'LimitExceededException',
  ],
  check({ Url, Tags }) {
    checkIssuer(Url)
    checkTags(Tags)
  },
  async run({ input, caller: { accountId }, partition, commit }, { clock, webIdentity }) {
    const { Url: url, Tags: given = [] } = input
    if (!webIdentity.mayBeIssuer(url)) {
      throw new KmsError('ValidationException', 'Invalid Open ID Connect Provider URL')
    }
    const provider = {
      accountId,
      name: nameOf(url),
      url,
      clientIds: clientIdsOf(input.ClientIDList),
      thumbprints: thumbprintsOf(input.ThumbprintList),
      tags: given,
      createdAt: clock.now(),
    }
    return commit(async (transaction) => {
      if ((await transaction.listOidcProviders(accountId)).length >= providersMax) {
        const message = `Cannot exceed quota for OpenIdConnectProvidersPerAccount: ${providersMax}`
        throw new KmsError('LimitExceededException', message)
      }
      const message = `Provider with url ${url} already exists.`
      await refuseTaken(transaction.insertOidcProvider(provider), message)
      return {
        OpenIDConnectProviderArn: oidcProviderArn(partition, provider),
        ...(given.length > 0 && { Tags: given }),
      }
    })
  },
})

/** The name of the provider in its ARN. `check` refuses every URL that has none. */
function nameOf(url: string): string {
  return readIssuer(url)?.name ?? ''
}
