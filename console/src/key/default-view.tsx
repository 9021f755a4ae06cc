/** The default view of a key policy: administrators, deletion, users, other accounts. @module */
import Button from '@cloudscape-design/components/button'
import Checkbox from '@cloudscape-design/components/checkbox'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { AccountFields, isAccountId } from '../policy/account-fields.tsx'
import type { PolicyChoice } from '../policy/console-policy.ts'
import { PrincipalTable } from '../policy/principal-table.tsx'
import { Confirmation } from '../shell/confirmation.tsx'
import { ListTable } from '../shell/list-table.tsx'
import { Panel } from '../shell/panel.tsx'
import { keyText } from '../text/key.ts'
import { policyText } from '../text/policy.ts'
import { text } from '../text/text.ts'

interface Props {
  readonly choice: PolicyChoice
  readonly saving: boolean
  readonly save: (choice: PolicyChoice) => void
  readonly toPolicyView: () => void
}

export function DefaultView({ choice, saving, save, toPolicyView }: Props): ReactNode {
  const [accounts, setAccounts] = useState(choice.accounts)
  const isChanged = accounts.join() !== choice.accounts.join()
  return (
    <SpaceBetween size="m">
      <Principals
        title={policyText.admins}
        hint={policyText.adminsHint}
        add={policyText.addAdmins}
        arns={choice.admins}
        saving={saving}
        save={(admins) => save({ ...choice, admins })}
        more={<Button onClick={toPolicyView}>{policyText.toPolicyView}</Button>}
      />
      <Panel title={policyText.deletion}>
        <Checkbox
          checked={choice.adminsDelete}
          disabled={saving || choice.admins.length === 0}
          onChange={({ detail }) => save({ ...choice, adminsDelete: detail.checked })}
        >
          {policyText.deletionBox}
        </Checkbox>
      </Panel>
      <Principals
        title={policyText.users}
        hint={policyText.usersHint}
        add={policyText.addUsers}
        arns={choice.users}
        saving={saving}
        save={(users) => save({ ...choice, users })}
      />
      <Panel
        title={policyText.accounts}
        hint={policyText.accountsHint}
        actions={
          <Button
            disabled={!isChanged || !accounts.every(isAccountId)}
            loading={saving}
            onClick={() => save({ ...choice, accounts })}
          >
            {text.save}
          </Button>
        }
      >
        <AccountFields accounts={accounts} onChange={setAccounts} />
      </Panel>
    </SpaceBetween>
  )
}

function Principals(props: {
  readonly title: string
  readonly hint: string
  readonly add: string
  readonly arns: readonly string[]
  readonly saving: boolean
  readonly save: (arns: readonly string[]) => void
  readonly more?: ReactNode
}): ReactNode {
  const { title, arns, saving, save } = props
  const [selected, setSelected] = useState<readonly string[]>([])
  const [adding, setAdding] = useState<readonly string[]>()
  const rows = arns.map((arn) => ({ arn, name: arn.split('/').at(-1) ?? arn }))
  return (
    <>
      <ListTable
        title={title}
        hint={props.hint}
        heading="h2"
        items={rows}
        trackBy="arn"
        empty={policyText.noneChosen}
        choosing={{
          type: 'multi',
          chosen: rows.filter(({ arn }) => selected.includes(arn)),
          onChange: (chosen) => setSelected(chosen.map(({ arn }) => arn)),
          nameOf: ({ name }) => name,
        }}
        columns={[
          {
            id: 'name',
            header: policyText.principals.name,
            cell: ({ name }) => name,
            isRowHeader: true,
          },
          { id: 'arn', header: keyText.arn, cell: ({ arn }) => arn },
        ]}
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            {props.more}
            <Button
              disabled={selected.length === 0}
              loading={saving}
              onClick={() => {
                save(arns.filter((arn) => !selected.includes(arn)))
                setSelected([])
              }}
            >
              {text.remove}
            </Button>
            <Button onClick={() => setAdding([])}>{text.add}</Button>
          </SpaceBetween>
        }
      />
      {adding !== undefined && (
        <Confirmation
          title={props.add}
          action={text.add}
          enabled={adding.length > 0}
          running={saving}
          cancel={() => setAdding(undefined)}
          confirm={() => {
            save([...arns, ...adding])
            setAdding(undefined)
          }}
        >
          <PrincipalTable label={title} chosen={adding} onChange={setAdding} exclude={arns} />
        </Confirmation>
      )}
    </>
  )
}
