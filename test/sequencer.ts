/**
 * test: which files come first: those that wait for minutes to pass, so that others work meanwhile and no run ends by waiting.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const patient = ['schedulers/cron-daemon', 'api/runs', 'stories/stories', 'faults/connections', 'integration/everything', 'faults/caged'];

/** Its place among those; all others, which are after them, have the same. */
function placeOf({ moduleId }: TestSpecification): number {
  const place = patient.findIndex((name) => moduleId.endsWith(`${name}.test.ts`));
  return place < 0 ? patient.length : place;
}

export class PatientFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}
