/**
 * AddClientIDToOpenIDConnectProvider — adds an audience to a provider. Adding it twice succeeds.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html
 * @module
 */
import type { AddClientIDToOpenIDConnectProviderRequest } from '@aws-sdk/client-iam'
import { required } from '../../model/shape.ts'
import { iamOperation } from '../contract/query-operation.ts'
import {
  checkProviderArn,
  clientId,
  clientIdsOf,
  oidcProviderOf,
  providerArn,
  providerPermission,
} from './oidc-provider.ts'

export const addClientIdToOpenIdConnectProvider = iamOperation<
  AddClientIDToOpenIDConnectProviderRequest,
  void
>()({
  name: 'AddClientIDToOpenIDConnectProvider',
  input: { OpenIDConnectProviderArn: required(providerArn), ClientID: required(clientId) },
  permissions: ({ OpenIDConnectProviderArn: arn }) =>
    providerPermission('iam:AddClientIDToOpenIDConnectProvider', arn),
  readOnly: false,
  audit: ['OpenIDConnectProviderArn', 'ClientID'],
  throws: [
    'InvalidInputException',
    'AccessDeniedException',
    'NoSuchEntityException',
    'LimitExceededException',
  ],
  check: ({ OpenIDConnectProviderArn: arn }) => checkProviderArn(arn),
  async run(call) {
    const { OpenIDConnectProviderArn: arn, ClientID } = call.input
    await call.commit(async (transaction) => {
      const provider = await oidcProviderOf(arn, call, transaction)
      const clientIds = clientIdsOf([...provider.clientIds, ClientID])
      if (clientIds.length === provider.clientIds.length) return
      await transaction.updateOidcProvider(provider, { clientIds })
    })
  },
})
