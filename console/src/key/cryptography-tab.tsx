/** The cryptographic configuration of a key. @module */
import Container from '@cloudscape-design/components/container'
import Header from '@cloudscape-design/components/header'
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { typeOf, usageWord } from '../keys/key-words.ts'
import { keyText } from '../text/key.ts'
import { keysText } from '../text/keys.ts'
import { text } from '../text/text.ts'
import type { KeyTabProps } from './key-screen.tsx'

export function CryptographyTab({ metadata }: KeyTabProps): ReactNode {
  const { columns, types } = keysText
  const algorithms = [
    ...(metadata.EncryptionAlgorithms ?? []),
    ...(metadata.SigningAlgorithms ?? []),
    ...(metadata.MacAlgorithms ?? []),
    ...(metadata.KeyAgreementAlgorithms ?? []),
  ]
  return (
    <SpaceBetween size="m">
      <Container header={<Header variant="h2">{keyText.tabs.cryptography}</Header>}>
        <KeyValuePairs
          columns={3}
          items={[
            { label: columns.type, value: types[typeOf(metadata.KeySpec)] },
            { label: columns.origin, value: metadata.Origin ?? text.none },
            { label: columns.spec, value: metadata.KeySpec ?? text.none },
            { label: columns.usage, value: usageWord(metadata.KeyUsage) },
            {
              label: keyText.algorithms,
              value: <span className="text">{algorithms.join('\n') || text.none}</span>,
            },
          ]}
        />
      </Container>
      {metadata.CustomKeyStoreId !== undefined && (
        <Container header={<Header variant="h2">{keyText.storeTitle}</Header>}>
          <KeyValuePairs
            columns={3}
            items={[
              { label: columns.store, value: metadata.CustomKeyStoreId },
              ...(metadata.CloudHsmClusterId === undefined
                ? []
                : [{ label: keyText.clusterId, value: metadata.CloudHsmClusterId }]),
            ]}
          />
        </Container>
      )}
      {metadata.XksKeyConfiguration?.Id !== undefined && (
        <Container header={<Header variant="h2">{keyText.externalTitle}</Header>}>
          <KeyValuePairs
            items={[{ label: keyText.externalId, value: metadata.XksKeyConfiguration.Id }]}
          />
        </Container>
      )}
    </SpaceBetween>
  )
}
