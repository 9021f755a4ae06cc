/** The first step of the wizard: type, usage, spec, origin, Regionality. @module */
import { DescribeCustomKeyStoresCommand, KMSClient } from '@aws-sdk/client-kms'
import ExpandableSection from '@cloudscape-design/components/expandable-section'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import RadioGroup from '@cloudscape-design/components/radio-group'
import Select from '@cloudscape-design/components/select'
import SpaceBetween from '@cloudscape-design/components/space-between'
import type { ReactNode } from 'react'
import { useAsked } from '../shell/asked.ts'
import { useConsole } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Panel } from '../shell/panel.tsx'
import { createText } from '../text/create.ts'
import { text } from '../text/text.ts'
import { type Choices, inStore, originsOf, specsOf, usagesOf } from './choices.ts'

export interface StepProps {
  readonly choices: Choices
  readonly set: (answer: Partial<Choices>) => void
  /** The user tried to leave the step: problems are shown. */
  readonly tried: boolean
}

/** Radio items with a label and a description each. */
function itemsOf<V extends string>(
  values: readonly V[],
  words: Readonly<Record<V, readonly [string, string]>>,
): { value: V; label: string; description: string }[] {
  return values.map((value) => {
    const [label, description] = words[value]
    return { value, label, description }
  })
}

export function ConfigureStep(props: StepProps): ReactNode {
  const { choices, set } = props
  const { type, usage, spec, multiRegion, origin } = choices
  return (
    <SpaceBetween size="l">
      <Panel title={createText.kind}>
        <SpaceBetween size="l">
          <FormField label={createText.type} stretch>
            <RadioGroup
              value={type}
              onChange={({ detail }) => set({ type: detail.value as Choices['type'] })} // an item below
              items={itemsOf(['symmetric', 'asymmetric'], createText.types)}
            />
          </FormField>
          <FormField label={createText.usage} stretch>
            <RadioGroup
              value={usage}
              onChange={({ detail }) => set({ usage: detail.value as Choices['usage'] })} // an item below
              items={itemsOf(usagesOf(type), createText.usages)}
            />
          </FormField>
          <FormField label={createText.spec} stretch>
            <RadioGroup
              value={spec}
              onChange={({ detail }) => set({ spec: detail.value as Choices['spec'] })} // an item below
              items={specsOf(choices).map((value) => ({ value, label: value }))}
            />
          </FormField>
        </SpaceBetween>
      </Panel>
      <ExpandableSection
        variant="container"
        headerText={createText.advanced}
        defaultExpanded={origin !== 'AWS_KMS' || multiRegion}
      >
        <SpaceBetween size="l">
          <FormField label={createText.origin} stretch>
            <RadioGroup
              value={origin}
              onChange={({ detail }) =>
                set({ origin: detail.value as Choices['origin'], store: '' })
              } // an item below
              items={itemsOf(originsOf(choices), createText.origins)}
            />
          </FormField>
          {inStore(choices) && <StoreFields {...props} />}
          <FormField label={createText.regionality} stretch>
            <RadioGroup
              value={multiRegion ? 'multi' : 'single'}
              onChange={({ detail }) => set({ multiRegion: detail.value === 'multi' })}
              items={itemsOf(['single', 'multi'], createText.regionalities)}
            />
          </FormField>
        </SpaceBetween>
      </ExpandableSection>
    </SpaceBetween>
  )
}

function StoreFields({ choices, set, tried }: StepProps): ReactNode {
  const { aws, region } = useConsole()
  const { origin, store, xksKeyId } = choices
  const { asked, again } = useAsked('stores', () =>
    aws.run(KMSClient, region, (kms) => kms.send(new DescribeCustomKeyStoresCommand({}))),
  )
  const wanted = origin === 'AWS_CLOUDHSM' ? 'AWS_CLOUDHSM' : 'EXTERNAL_KEY_STORE'
  const stores = asked.state === 'here' ? (asked.value.CustomKeyStores ?? []) : []
  const options = stores
    .filter((each) => each.CustomKeyStoreType === wanted && each.ConnectionState === 'CONNECTED')
    .map(({ CustomKeyStoreId: value = '', CustomKeyStoreName: label = value }) => ({
      value,
      label,
      description: value,
    }))
  return (
    <SpaceBetween size="l">
      {asked.state === 'failed' && (
        <Failed error={asked.error} title={createText.storesFailed} again={again} />
      )}
      <FormField
        label={createText.store}
        errorText={tried && store === '' ? createText.missing : ''}
      >
        <Select
          options={options}
          selectedOption={options.find(({ value }) => value === store) ?? null}
          onChange={({ detail }) => set({ store: detail.selectedOption.value ?? '' })}
          statusType={asked.state === 'loading' ? 'loading' : 'finished'}
          loadingText={text.loading}
          empty={createText.storeNone}
          placeholder={createText.store}
        />
      </FormField>
      {origin === 'EXTERNAL_KEY_STORE' && (
        <FormField
          label={createText.xksId}
          description={createText.xksIdHint}
          errorText={tried && xksKeyId === '' ? createText.missing : ''}
        >
          <Input value={xksKeyId} onChange={({ detail }) => set({ xksKeyId: detail.value })} />
        </FormField>
      )}
    </SpaceBetween>
  )
}
