/** The wizard that creates a key. @module */
import { CreateAliasCommand, CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import Wizard from '@cloudscape-design/components/wizard'
import { type ReactNode, useState } from 'react'
import { isAliasName } from '../key/aliases-tab.tsx'
import { problemsOf } from '../key/tag-fields.tsx'
import { forgetKeys } from '../keys/use-key-list.ts'
import { isAccountId } from '../policy/account-fields.tsx'
import { checkPolicy } from '../policy/check-policy.ts'
import { buildPolicy } from '../policy/console-policy.ts'
import { useAction } from '../shell/asked.ts'
import { useConsole, useSession } from '../shell/context.ts'
import { Failed, Failure } from '../shell/failed.tsx'
import { goTo, hrefOf } from '../shell/router.ts'
import { createText } from '../text/create.ts'
import { text } from '../text/text.ts'
import { change, type Choices, firstChoices, inStore, requestOf, traitsOf } from './choices.ts'
import { ConfigureStep } from './configure-step.tsx'
import { AdminsStep, LabelsStep, PolicyStep, UsersStep } from './steps.tsx'

export function CreateKeyScreen(): ReactNode {
  const { aws, region, session, notify, keyLists } = useConsole()
  const { signedIn } = useSession(session)
  const [choices, setChoices] = useState<Choices>(firstChoices)
  const [step, setStep] = useState(0)
  const [tried, setTried] = useState(false)
  const account = {
    partition: signedIn?.identity.arn.split(':')[1] ?? 'aws',
    accountId: signedIn?.identity.accountId ?? '',
  }
  const built = JSON.stringify(buildPolicy(choices, traitsOf(choices), account), null, 2)
  const policy = choices.policy ?? built
  const { run, running, error } = useAction(async () => {
    const { KeyMetadata } = await aws.run(KMSClient, region, (kms) =>
      kms.send(new CreateKeyCommand(requestOf(choices, policy))),
    )
    const id = KeyMetadata?.KeyId ?? ''
    if (choices.alias !== '') {
      const asked = { AliasName: `alias/${choices.alias}`, TargetKeyId: id }
      await aws
        .run(KMSClient, region, (kms) => kms.send(new CreateAliasCommand(asked)))
        // The key is there: the user goes on from it.
        .catch((failure: unknown) => {
          const content = <Failure error={failure} region={region} onColor />
          notify({ type: 'error', header: createText.aliasFailed(id), content })
        })
    }
    forgetKeys(keyLists, region)
    const isImported = choices.origin === 'EXTERNAL'
    notify({
      type: 'success',
      header: createText.created,
      content: isImported ? createText.importNext : id,
    })
    goTo(hrefOf(region, ['keys', id, ...(isImported ? ['material'] : [])]))
  })
  const set = (answer: Partial<Choices>): void => setChoices((now) => change(now, answer))
  const props = { choices, set, tried }
  const wrong = problemsAt(step, choices, policy)
  return (
    <Wizard
      activeStepIndex={step}
      isLoadingNextStep={running}
      onNavigate={({ detail }) => {
        // Nobody moves on over a step with a problem.
        const isForward = detail.requestedStepIndex > step
        setTried(isForward && wrong)
        if (!isForward || !wrong) setStep(detail.requestedStepIndex)
      }}
      onCancel={() => goTo(hrefOf(region, ['keys']))}
      onSubmit={() => {
        if (!wrong) run()
      }}
      submitButtonText={createText.submit}
      i18nStrings={{
        stepNumberLabel: createText.step,
        collapsedStepsLabel: createText.stepsOf,
        cancelButton: text.cancel,
        previousButton: createText.previous,
        nextButton: createText.next,
        optional: createText.optional,
      }}
      steps={[
        { title: createText.steps.configure, content: <ConfigureStep {...props} /> },
        { title: createText.steps.labels, content: <LabelsStep {...props} /> },
        {
          title: createText.steps.admins,
          isOptional: true,
          content: <AdminsStep {...props} />,
        },
        { title: createText.steps.users, isOptional: true, content: <UsersStep {...props} /> },
        {
          title: createText.steps.policy,
          content: (
            <PolicyStep
              {...props}
              policy={policy}
              failure={<Failed error={error} title={createText.failed} />}
            />
          ),
        },
      ]}
    />
  )
}

function problemsAt(step: number, choices: Choices, policy: string): boolean {
  const { alias, tags, accounts, store, xksKeyId, origin } = choices
  if (step === 0) {
    return (
      inStore(choices) && (store === '' || (origin === 'EXTERNAL_KEY_STORE' && xksKeyId === ''))
    )
  }
  if (step === 1) return !isAliasName(alias) || problemsOf(tags).some((problem) => problem !== '')
  if (step === 3) return !accounts.every(isAccountId)
  return step === 4 && checkPolicy(policy).problems.length > 0
}
