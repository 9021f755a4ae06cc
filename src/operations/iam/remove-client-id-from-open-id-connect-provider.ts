/**
 * RemoveClientIDFromOpenIDConnectProvider — removes an audience from a provider. Removing one that it
 * does not have succeeds.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html
 * @module
 */
import type { RemoveClientIDFromOpenIDConnectProviderRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkProviderArn,
  clientId,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'

export const removeClientIdFromProvider = iamOperation<
  RemoveClientIDFromOpenIDConnectProviderRequest,
  void
>()({
  name: 'RemoveClientIDFromOpenIDConnectProvider',
  input: { OpenIDConnectProviderArn: required(providerArn), ClientID: required(clientId) },
  permissions: ({ OpenIDConnectProviderArn: arn }) =>
    providerPermission('iam:RemoveClientIDFromOpenIDConnectProvider', arn),
  readOnly: false,
  audit: ['OpenIDConnectProviderArn', 'ClientID'],
  throws: ['InvalidInputException', 'AccessDeniedException', 'NoSuchEntityException'],
  check: ({ OpenIDConnectProviderArn: arn }) => checkProviderArn(arn),
  async run(call) {
    const { OpenIDConnectProviderArn: arn, ClientID } = call.input
    await call.commit(async (transaction) => {
      const provider = await oidcProviderOf(arn, call, transaction)
      const clientIds = provider.clientIds.filter((each) => each !== ClientID)
      if (clientIds.length === provider.clientIds.length) return
      await transaction.updateOidcProvider(provider, { clientIds })
    })
  },
})
