import { BaseEdge, EdgeLabelRenderer, getBezierPath } from '@xyflow/react';
import { memo } from 'react';
import { number } from '../base/format.js';

const OVER = 74;
const BEND = 56;

function words(link) {
  const parts = [];
  if (link.mode === 'add') parts.push(`+ ${number(link.scale)} m`);
  if (link.mode === 'multiply') parts.push(`× (${number(link.offset ?? 0)} + ${number(link.scale)} m)`);
  if (link.delay_frames) parts.push(`z⁻${superscript(link.delay_frames)}`);
  if (link.gates?.length) parts.push(`⊣ ${link.gates.join(', ')}`);
  if (link.channel !== undefined) parts.push(`ch ${link.channel}`);
  return parts.join('  ');
}

function superscript(value) {
  return [...String(value)].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[digit]).join('');
}

/** An edge that leads back is drawn above the boxes that it passes. */
function backwards({ sourceX, sourceY, targetX, targetY }) {
  const top = Math.min(sourceY, targetY) - OVER;
  const path = `M${sourceX} ${sourceY}C${sourceX + BEND} ${sourceY} ${sourceX + BEND} ${top} ${sourceX} ${top}`
    + `L${targetX} ${top}C${targetX - BEND} ${top} ${targetX - BEND} ${targetY} ${targetX} ${targetY}`;
  return [path, (sourceX + targetX) / 2, top];
}

const Line = memo(function Line(props) {
  const [path, x, y] = props.targetX < props.sourceX ? backwards(props) : getBezierPath(props);
  const text = words(props.data.link);
  return (
    <>
      <BaseEdge path={path} interactionWidth={18} />
      {text && (
        <EdgeLabelRenderer>
          <div className={`line-label ${props.type}${props.selected ? ' selected' : ''}`} style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}>
            {text}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

export const lineTypes = { audio: Line, modulation: Line };
