/** `scenarios.json`: steps and expectations for whatever needs a running host. */
import { readJson, type RecordedCase, Skip, type Workshop } from './remotemedia-workshop.ts';
import { ScenarioPlayer, type Scenario } from './remotemedia-player.ts';

/** Every scenario; those in words only are tests of their own. */
export function scenarioCases(directory: string): RecordedCase[] {
  const cases = (readJson(directory, 'scenarios.json') ?? []) as Scenario[];
  return cases.map((scenario) => ({
    id: `scenarios/${scenario.id}`,
    needs: scenario.needs,
    run: (workshop) => play(workshop, scenario),
  }));
}

async function play(workshop: Workshop, scenario: Scenario): Promise<string | Skip | undefined> {
  if (scenario.steps === undefined) return new Skip('has no steps: a test written by hand');
  const player = await ScenarioPlayer.open(workshop, scenario);
  try {
    return await player.play();
  } finally {
    await player.close();
  }
}
