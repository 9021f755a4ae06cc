/**
 * The editor of a policy's JSON. Cloudscape's code editor uses Ace, which loads when the editor is first shown.
 * Ace's own style sheets are files: with `useStrictCSP` it adds no style to the page.
 * @module
 */
import Alert from '@cloudscape-design/components/alert'
import CodeEditor, { type CodeEditorProps } from '@cloudscape-design/components/code-editor'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { type ReactNode, useState } from 'react'
import { useAsked } from '../shell/asked.ts'
import { isDark } from '../shell/mode.ts'
import { policyText } from '../text/policy.ts'
import { checkPolicy } from './check-policy.ts'

const words = policyText.editor

async function loadAce(): Promise<unknown> {
  const [{ default: ace }] = await Promise.all([
    import('ace-builds/src-noconflict/ace'),
    import('ace-builds/css/ace.css'),
  ])
  ace.config.set('useStrictCSP', true)
  ace.config.set('loadWorkerFromBlob', false)
  await Promise.all([
    import('ace-builds/src-noconflict/mode-json'),
    import('ace-builds/src-noconflict/theme-cloud_editor'),
    import('ace-builds/src-noconflict/theme-cloud_editor_dark'),
    import('ace-builds/src-noconflict/ext-language_tools'),
    import('ace-builds/css/theme/cloud_editor.css'),
    import('ace-builds/css/theme/cloud_editor_dark.css'),
  ])
  return ace
}

export function PolicyEditor({
  value,
  onChange,
  height = 420,
}: {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly height?: number
}): ReactNode {
  const { asked, again } = useAsked('ace', loadAce)
  const [preferences, setPreferences] = useState<Partial<CodeEditorProps.Preferences>>({
    wrapLines: true,
    theme: isDark() ? 'cloud_editor_dark' : 'cloud_editor',
  })
  const { problems, hints } = checkPolicy(value)
  return (
    <SpaceBetween size="s">
      <CodeEditor
        ace={asked.state === 'here' ? asked.value : undefined}
        loading={asked.state === 'loading'}
        onRecoveryClick={again}
        value={value}
        language="json"
        preferences={preferences}
        themes={{ light: ['cloud_editor'], dark: ['cloud_editor_dark'] }}
        onPreferencesChange={({ detail }) => setPreferences(detail)}
        onDelayedChange={({ detail }) => onChange(detail.value)}
        editorContentHeight={height}
        ariaLabel={words.label}
      />
      {problems.length > 0 && (
        <Alert type="error" header={words.problems}>
          {problems.map((problem) => (
            <div key={problem}>{problem}</div>
          ))}
        </Alert>
      )}
      {problems.length === 0 && hints.length > 0 && <Alert type="warning">{hints.join(' ')}</Alert>}
    </SpaceBetween>
  )
}
