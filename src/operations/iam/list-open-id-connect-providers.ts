/**
 * ListOpenIDConnectProviders — returns the ARNs of the account's providers.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html
 * @module
 */
import type {
  ListOpenIDConnectProvidersRequest,
  ListOpenIDConnectProvidersResponse,
} from '@aws-sdk/client-iam'
import { oidcProviderArn } from '../../model/oidc-provider.ts'
import { iamOperation } from '../contract/query-operation.ts'

export const listOpenIdConnectProviders = iamOperation<
  ListOpenIDConnectProvidersRequest,
  ListOpenIDConnectProvidersResponse
>()({
  name: 'ListOpenIDConnectProviders',
  input: {},
  permissions: () => [{ action: 'iam:ListOpenIDConnectProviders', iamResource: 'oidc-provider/' }],
  readOnly: true,
  audit: [],
  throws: ['AccessDeniedException'],
  async run({ caller: { accountId }, partition }, { store }) {
    const providers = await store.listOidcProviders(accountId)
    const OpenIDConnectProviderList = providers.map((provider) => ({
      Arn: oidcProviderArn(partition, provider),
    }))
    return { OpenIDConnectProviderList }
  },
})
