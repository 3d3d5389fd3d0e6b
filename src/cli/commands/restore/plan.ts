/**
 * cli: `restore --plan`, shows what a target lacks and the SQL that mends it. It restores nothing.
 */
import type { PlanRequest } from '../../../core/restore/plan.js';
import type { Context } from '../../../core/context.js';
import { failures } from '../../../model/errors.js';
import { width, type Outcome } from '../../render.js';
import { countOf } from '../../../model/units.js';

export async function showPlan(context: Context, request: PlanRequest): Promise<Outcome> {
  const [{ planOf }, { table }] = await Promise.all([import('../../../core/restore/plan.js'), import('../../show/table.js')]);
  const { target, missing, sql, afterwards, warnings } = await planOf(context, request);
  const { backupId } = request.backup;
  return {
    document: { backupId, target, missing, sql, afterwards, warnings },
    exit: missing.length > 0 ? failures['restore-target'].exit : 0,
    text: (paint) => {
      const rows = missing.map(({ kind, name, detail }) => [kind, name, detail]);
      const parts = [
        ...(rows.length > 0 ? [table(['MISSING', 'NAME', 'WHAT TO DO'], rows, { width: width(), paint })] : []),
        ...(warnings.length > 0 ? [warnings.map((warning) => `${paint.yellow('warning:')} ${warning}`).join('\n')] : []),
        ...(sql.length > 0 ? [`${paint.dim('-- SQL that mends it:')}\n${sql.join('\n')}`] : []),
        ...(afterwards.length > 0
          ? [
              `${paint.dim("-- after the restore, SQL for the database's own properties (--create does it by itself):")}\n${afterwards.join('\n')}`,
            ]
          : []),
        rows.length > 0
          ? `${paint.red('not ready')}: ${target} lacks ${countOf(rows.length, 'thing')} for ${backupId}; nothing was changed`
          : `${warnings.length > 0 ? paint.yellow('ready, but for the warnings') : paint.green('ready')}: ${target} lacks nothing for ${backupId}; nothing was changed`,
      ];
      return parts.join('\n\n');
    },
  };
}
