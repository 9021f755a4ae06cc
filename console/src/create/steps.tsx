/** The other steps of the wizard: labels, administrators, users, and the policy. @module */
import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Checkbox from '@cloudscape-design/components/checkbox'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import SpaceBetween from '@cloudscape-design/components/space-between'
import Textarea from '@cloudscape-design/components/textarea'
import type { ReactNode } from 'react'
import { isAliasName } from '../key/aliases-tab.tsx'
import { TagFields } from '../key/tag-fields.tsx'
import { AccountFields } from '../policy/account-fields.tsx'
import { PolicyEditor } from '../policy/policy-editor.tsx'
import { PrincipalTable } from '../policy/principal-table.tsx'
import { Panel } from '../shell/panel.tsx'
import { createText } from '../text/create.ts'
import { keyText } from '../text/key.ts'
import { policyText } from '../text/policy.ts'
import type { StepProps } from './configure-step.tsx'

export function LabelsStep({ choices, set, tried }: StepProps): ReactNode {
  const { alias, description, tags } = choices
  const problem =
    alias === ''
      ? tried
        ? createText.missing
        : ''
      : isAliasName(alias)
        ? ''
        : keyText.aliases.wrong
  return (
    <Panel title={createText.labels}>
      <SpaceBetween size="l">
        <FormField label={createText.alias} description={createText.aliasHint} errorText={problem}>
          <Input value={alias} onChange={({ detail }) => set({ alias: detail.value })} />
        </FormField>
        <FormField label={<Optional label={createText.description} />}>
          <Textarea
            value={description}
            onChange={({ detail }) => set({ description: detail.value })}
            rows={3}
          />
        </FormField>
        <FormField label={<Optional label={createText.tags} />} stretch>
          <TagFields entries={tags} onChange={(entries) => set({ tags: entries })} />
        </FormField>
      </SpaceBetween>
    </Panel>
  )
}

function Optional({ label }: { readonly label: string }): ReactNode {
  return (
    <>
      {label} <i>- {createText.optional}</i>
    </>
  )
}

export function AdminsStep({ choices, set }: StepProps): ReactNode {
  return (
    <SpaceBetween size="l">
      <Panel title={policyText.admins} hint={policyText.adminsHint}>
        <PrincipalTable
          label={policyText.admins}
          chosen={choices.admins}
          onChange={(admins) => set({ admins })}
        />
      </Panel>
      <Panel title={policyText.deletion}>
        <Checkbox
          checked={choices.adminsDelete}
          onChange={({ detail }) => set({ adminsDelete: detail.checked })}
        >
          {policyText.deletionBox}
        </Checkbox>
      </Panel>
    </SpaceBetween>
  )
}

export function UsersStep({ choices, set }: StepProps): ReactNode {
  return (
    <SpaceBetween size="l">
      <Panel title={policyText.users} hint={policyText.usersHint}>
        <PrincipalTable
          label={policyText.users}
          chosen={choices.users}
          onChange={(users) => set({ users })}
        />
      </Panel>
      <Panel title={policyText.accounts} hint={policyText.accountsHint}>
        <AccountFields accounts={choices.accounts} onChange={(accounts) => set({ accounts })} />
      </Panel>
    </SpaceBetween>
  )
}

export function PolicyStep({
  choices,
  set,
  policy,
  failure,
}: StepProps & { readonly policy: string; readonly failure: ReactNode }): ReactNode {
  return (
    <SpaceBetween size="l">
      {failure}
      <Panel title={policyText.title} hint={createText.review}>
        <SpaceBetween size="m">
          {choices.policy !== undefined && (
            <Alert
              type="info"
              action={
                <Button onClick={() => set({ policy: undefined })}>{createText.rebuild}</Button>
              }
            >
              {createText.edited}
            </Alert>
          )}
          <PolicyEditor
            value={policy}
            onChange={(edited) => {
              if (edited !== policy) set({ policy: edited })
            }}
          />
        </SpaceBetween>
      </Panel>
    </SpaceBetween>
  )
}
