/** Ids of other accounts. @module */
import AttributeEditor from '@cloudscape-design/components/attribute-editor'
import Input from '@cloudscape-design/components/input'
import type { ReactNode } from 'react'
import { policyText } from '../text/policy.ts'
import { text } from '../text/text.ts'

export const isAccountId = (id: string): boolean => /^\d{12}$/.test(id)

export function AccountFields({
  accounts,
  onChange,
}: {
  readonly accounts: readonly string[]
  readonly onChange: (accounts: readonly string[]) => void
}): ReactNode {
  return (
    <AttributeEditor<string>
      items={accounts}
      addButtonText={policyText.addAccount}
      removeButtonText={text.remove}
      empty={policyText.noneChosen}
      onAddButtonClick={() => onChange([...accounts, ''])}
      onRemoveButtonClick={({ detail }) =>
        onChange(accounts.filter((_, index) => index !== detail.itemIndex))
      }
      definition={[
        {
          label: policyText.accountId,
          control: (account, index) => (
            <Input
              value={account}
              inputMode="numeric"
              ariaLabel={`${policyText.accountId} ${index + 1}`}
              onChange={({ detail }) =>
                onChange(accounts.map((each, at) => (at === index ? detail.value : each)))
              }
            />
          ),
          errorText: (account) => (isAccountId(account) ? '' : policyText.accountWrong),
        },
      ]}
    />
  )
}
