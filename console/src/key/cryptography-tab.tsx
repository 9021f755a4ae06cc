/** The cryptographic configuration of a key. @module */
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { typeOf, usageWord } from '../keys/key-words.ts'
import { Panel } from '../shell/panel.tsx'
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
    ...(metadata.EncapsulationAlgorithms ?? []),
  ]
  return (
    <SpaceBetween size="m">
      <Panel title={keyText.tabs.cryptography}>
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
      </Panel>
      {metadata.CustomKeyStoreId !== undefined && (
        <Panel title={keyText.storeTitle}>
          <KeyValuePairs
            columns={3}
            items={[
              { label: columns.store, value: metadata.CustomKeyStoreId },
              ...(metadata.CloudHsmClusterId === undefined
                ? []
                : [{ label: keyText.clusterId, value: metadata.CloudHsmClusterId }]),
            ]}
          />
        </Panel>
      )}
      {metadata.XksKeyConfiguration?.Id !== undefined && (
        <Panel title={keyText.externalTitle}>
          <KeyValuePairs
            items={[{ label: keyText.externalId, value: metadata.XksKeyConfiguration.Id }]}
          />
        </Panel>
      )}
    </SpaceBetween>
  )
}
