/** The role switcher: AssumeRole with the session's own credentials. @module */
import { STSClient } from '@aws-sdk/client-sts'
import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import { type ReactNode, useState } from 'react'
import type { SignedIn } from '../aws/session.ts'
import { ActionDialog } from '../shell/action-dialog.tsx'
import { useConsole } from '../shell/context.ts'
import { switchText } from '../text/switch-role.ts'
import { text } from '../text/text.ts'
import { assumeRole } from './assume-role.ts'

export function SwitchRole({
  signedIn,
  onDone,
}: {
  readonly signedIn: SignedIn
  readonly onDone: () => void
}): ReactNode {
  const { aws, session, region } = useConsole()
  const { accountId } = signedIn.identity
  const [account, setAccount] = useState(accountId)
  const [role, setRole] = useState('')
  const [name, setName] = useState('console')
  const [tried, setTried] = useState(false)
  const partition = signedIn.identity.arn.split(':')[1] ?? 'aws'
  const act = async (): Promise<void> => {
    setTried(true)
    if (role.trim() === '') return
    const arn = role.startsWith('arn:') ? role : `arn:${partition}:iam::${account}:role/${role}`
    const assumed = await aws.run(STSClient, region, (sts) =>
      // The user may have signed in again since this dialog opened.
      assumeRole(sts, session.current().signedIn ?? signedIn, { arn, sessionName: name }),
    )
    session.signIn(assumed)
    onDone()
  }
  return (
    <ActionDialog title={text.switchRole} failed={switchText.failed} act={act} cancel={onDone}>
      <FormField label={text.account}>
        <Input value={account} onChange={({ detail }) => setAccount(detail.value)} />
      </FormField>
      <FormField
        label={switchText.role}
        description={switchText.roleHint}
        errorText={tried && role.trim() === '' ? switchText.missing : ''}
      >
        <Input value={role} onChange={({ detail }) => setRole(detail.value)} autoFocus />
      </FormField>
      <FormField label={switchText.session} description={switchText.sessionHint}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
    </ActionDialog>
  )
}
