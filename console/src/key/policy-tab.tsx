/** The key policy: the default view for policies of the console's shape, the policy view for all. @module */
import { GetKeyPolicyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import Button from '@cloudscape-design/components/button'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useEffect, useState } from 'react'
import { checkPolicy } from '../policy/check-policy.ts'
import { buildPolicy, readChoice } from '../policy/console-policy.ts'
import { PolicyEditor } from '../policy/policy-editor.tsx'
import { useAction, useAsked } from '../shell/asked.ts'
import { useConsole, useSession } from '../shell/context.ts'
import { Failed } from '../shell/failed.tsx'
import { Panel } from '../shell/panel.tsx'
import { Loading } from '../shell/screen.tsx'
import { policyText } from '../text/policy.ts'
import { text } from '../text/text.ts'
import { DefaultView } from './default-view.tsx'
import type { KeyTabProps } from './key-screen.tsx'

export function PolicyTab({ keyId, metadata, readOnly }: KeyTabProps): ReactNode {
  const { aws, region, session, notify } = useConsole()
  const { signedIn } = useSession(session)
  const [asJson, setAsJson] = useState(false)
  const [draft, setDraft] = useState('')
  const { asked, again } = useAsked(`policy ${keyId}`, async () => {
    const { Policy = '' } = await aws.run(KMSClient, region, (kms) =>
      kms.send(new GetKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default' })),
    )
    return pretty(Policy)
  })
  useEffect(() => {
    if (asked.state === 'here') setDraft(asked.value)
  }, [asked])
  const { run, running, error } = useAction(async (policy: string) => {
    await aws.run(KMSClient, region, (kms) =>
      kms.send(new PutKeyPolicyCommand({ KeyId: keyId, PolicyName: 'default', Policy: policy })),
    )
    notify({ type: 'success', content: policyText.saved })
    again()
  })
  if (asked.state === 'loading') return <Loading />
  if (asked.state === 'failed') {
    return <Failed error={asked.error} title={policyText.failed} again={again} />
  }
  const account = {
    partition: metadata.Arn?.split(':')[1] ?? 'aws',
    accountId: metadata.AWSAccountId ?? signedIn?.identity.accountId ?? '',
  }
  const traits = {
    spec: metadata.KeySpec ?? '',
    usage: metadata.KeyUsage ?? '',
    isImported: metadata.Origin === 'EXTERNAL',
    isMultiRegion: metadata.MultiRegion === true,
  }
  const choice = readChoice(asked.value, traits, account)
  const isJson = asJson || choice === undefined
  const isChanged = draft !== asked.value
  const isWrong = checkPolicy(draft).problems.length > 0
  const save = (next: NonNullable<typeof choice>): void =>
    run(pretty(JSON.stringify(buildPolicy(next, traits, account))))
  return (
    <SpaceBetween size="m">
      <Failed error={error} title={policyText.notSaved} />
      {isJson ? (
        <Panel
          title={policyText.title}
          actions={
            <SpaceBetween direction="horizontal" size="xs">
              {choice !== undefined && (
                <Button onClick={() => setAsJson(false)}>{policyText.toDefaultView}</Button>
              )}
              {!readOnly && (
                <Button disabled={!isChanged} onClick={() => setDraft(asked.value)}>
                  {text.cancel}
                </Button>
              )}
              {!readOnly && (
                <Button
                  variant="primary"
                  disabled={!isChanged || isWrong}
                  loading={running}
                  onClick={() => run(draft)}
                >
                  {policyText.save}
                </Button>
              )}
            </SpaceBetween>
          }
        >
          <PolicyEditor value={draft} onChange={setDraft} />
        </Panel>
      ) : (
        <DefaultView
          choice={choice}
          saving={running}
          save={save}
          toPolicyView={() => setAsJson(true)}
        />
      )}
    </SpaceBetween>
  )
}

/** With line breaks, unless it is no JSON. */
function pretty(policy: string): string {
  try {
    return JSON.stringify(JSON.parse(policy), null, 2)
  } catch {
    return policy
  }
}
