import {
  Background, Controls, MiniMap, ReactFlow, SelectionMode, applyEdgeChanges, applyNodeChanges, useReactFlow, useStore,
} from '@xyflow/react';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { flushSync } from 'react-dom';
import { Catalogue, DRAG, QuickAdd } from './catalogue.jsx';
import { lineTypes } from './edges.jsx';
import { Code, FileLine, Files } from './files.jsx';
import { boxes, carried, connection, lines, shownAs } from './flow.js';
import { Inspector } from './inspector.jsx';
import { Box, Fold, Marks } from './nodes.jsx';
import { hue } from './shapes.js';
import { Problems, Toolbar } from './toolbar.jsx';
import { useKeys, useMenu } from './keys.js';
import { useTrait } from './traits.js';

const boxTypes = { node: Box, fold: Fold };
const CHECK_MS = 60;
const FAR = 0.55;
const AROUND = { x: '40px', y: 0.08 }; // edges that lead back bend around the boxes

export function App({ model, link, surface, replica, catalogue, root, onPaint }) {
  const document = useSyncExternalStore(replica.subscribe, replica.snapshot);
  const contracts = useMemo(() => Object.fromEntries(catalogue.map((contract) => [contract.id, contract])), [catalogue]);
  const [nodes, setNodes] = useState(() => {
    const chosen = shownAs(model.get('selection'), document.folds);
    return boxes(document, contracts, []).map((box) => ({ ...box, selected: chosen.has(box.id) }));
  });
  const [links, setLinks] = useState(() => lines(document, []));
  const [latency, setLatency] = useState(null);
  const [quick, setQuick] = useState(null);
  const [code, setCode] = useState(null);
  const [files, setFiles] = useState(null);
  const [panes, setPanes] = useState({ catalogue: root.clientWidth > 760 });
  const problems = useTrait(model, 'problems');
  const badges = useTrait(model, 'badges');
  const highlight = useTrait(model, 'highlight');
  const crashed = useTrait(model, 'crash').node ?? '';
  const file = useTrait(model, 'file_status');
  const flow = useReactFlow();
  const ahead = useRef(0); // moves by keys that Python has not confirmed: the boxes stay at their new places

  useLayoutEffect(() => {
    setNodes((before) => boxes(document, contracts, before, ahead.current > 0));
    setLinks((before) => lines(document, before));
  }, [document, contracts]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: every new document is checked
  useEffect(() => {
    link.on('checked', (message) => setLatency(message.latency_frames));
    const timer = setTimeout(() => link.send('check', { version: replica.version }), CHECK_MS);
    return () => clearTimeout(timer);
  }, [document, link, replica]);

  const select = useCallback((names, ids = []) => {
    const only = (wanted) => (before) => before.map((one) => (one.selected === wanted.has(one.id) ? one : { ...one, selected: wanted.has(one.id) }));
    setNodes(only(shownAs(names, replica.document.folds)));
    setLinks(only(new Set(ids)));
  }, [replica]);

  /** Scroll a node, or the fold that contains it, into view. */
  const show = useCallback((name) => {
    const [id] = shownAs([name], replica.document.folds);
    const box = flow.getNode(id);
    if (box) flow.setCenter(box.position.x + box.width / 2, box.position.y + box.height / 2, { zoom: Math.max(flow.getZoom(), 0.9), duration: 250 });
    return box;
  }, [flow, replica]);
  const focus = useCallback((name) => {
    const box = show(name);
    if (box) select([box.id]);
  }, [show, select]);
  useEffect(() => {
    surface.go = focus;
    surface.crash(model.get('crash'));
    if (crashed) show(crashed);
  }, [crashed, focus, model, show, surface]);

  const ask = useCallback(async (kind, content) => {
    try {
      const { message, buffers } = await link.ask(kind, content);
      surface.clear();
      return { ...message, buffers };
    } catch (error) {
      surface.show(error, focus);
      return null;
    }
  }, [link, surface, focus]);

  const edit = useCallback(async (ops, gesture = null) => {
    const done = await ask('edit', { ops, gesture });
    if (done?.added.length) select(done.added);
  }, [ask, select]);

  const fold = useCallback((title, names) => ask('fold', { title, nodes: names }), [ask]);
  const chosen = nodes.filter((box) => box.selected).map((box) => box.id);
  const chosenLinks = links.filter((line) => line.selected).map((line) => line.id);
  const members = chosen.flatMap((id) => (id.startsWith('fold:') ? document.folds[id.slice(5)] ?? [] : [id]));
  useSelection(model, members, select);

  const centre = () => {
    const area = root.getBoundingClientRect();
    return flow.screenToFlowPosition({ x: area.left + area.width / 2, y: area.top + area.height / 2 });
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: centre reads flow and the root, which stays
  const add = useCallback((type, at = centre(), join = {}) => {
    edit([{ op: 'add', type, at: [Math.round(at.x), Math.round(at.y)], ...join }]);
  }, [edit, flow]);

  const moved = async (which, gesture) => {
    ahead.current += 1;
    await edit([{ op: 'move', places: placesOf(which, replica.document) }], gesture);
    ahead.current -= 1;
    if (!ahead.current) setNodes((before) => boxes(replica.document, contracts, before));
  };
  const actions = {
    undo: () => link.send('undo'),
    redo: () => link.send('redo'),
    copy: () => members.length && ask('copy', { nodes: members }),
    paste: (point) => {
      const at = point && flow.screenToFlowPosition({ x: point.clientX, y: point.clientY });
      edit([{ op: 'paste', ...(at && { at: [Math.round(at.x), Math.round(at.y)] }) }]);
    },
    remove: () => (members.length || chosenLinks.length) && edit([{ op: 'remove', nodes: members, links: chosenLinks }]),
    arrange: () => { link.send('arrange'); setTimeout(() => flow.fitView({ duration: 250, padding: AROUND }), 150); },
    fit: () => flow.fitView({ duration: 250, padding: AROUND }),
    code: async () => setCode((await ask('code', {}))?.text ?? null),
    save: () => (file.path ? ask('save') : setFiles('save')),
    saveAs: () => setFiles('save'),
    open: () => setFiles('open'),
    export: () => setFiles('export'),
    catalogue: () => setPanes((before) => ({ ...before, catalogue: !before.catalogue })),
    jump: () => (problems.find((problem) => problem.node) ? focus(problems.find((problem) => problem.node).node) : actions.fit()),
    all: () => select(nodes.map((box) => box.id)),
    gather: () => fold(freeTitle(document.folds), chosen.filter((id) => document.nodes[id])),
    unfold: () => chosen.forEach((id) => id.startsWith('fold:') && fold(id.slice(5), [])),
    nudge: (x, y, gesture) => {
      const step = (box) => (box.selected ? { ...box, position: { x: box.position.x + x, y: box.position.y + y } } : box);
      flushSync(() => setNodes((before) => before.map(step))); // the next key may arrive before the next animation frame
      if (chosen.length) moved(nodes.filter((box) => box.selected).map(step), gesture);
      return chosen.length > 0;
    },
    // selects the clicked box or line if it is not selected; returns how many are selected then
    point: (box, line, several) => {
      if (box && !chosen.includes(box)) {
        select([box]);
        return 1;
      }
      if (line && !chosenLinks.includes(line)) select([], [line]);
      return line ? 1 : box || several ? chosen.length : 0;
    },
    quick: (point) => openQuick(point),
  };
  actions.cut = async () => { await actions.copy(); actions.remove(); };
  actions.duplicate = async () => { await actions.copy(); actions.paste(); };
  useKeys(root, actions);
  useMenu(root, actions);

  const close = (setDialog) => () => {
    setDialog(null);
    root.focus({ preventScroll: true });
  };
  const marks = useMemo(() => ({ badges, highlight, crashed, problems: Object.fromEntries(problems.map((p) => [p.node, p.message])) }), [badges, highlight, crashed, problems]);
  const dropped = (event, state) => {
    if (state.isValid || state.toNode || !state.fromHandle?.id.startsWith('o:')) return;
    const point = 'changedTouches' in event ? event.changedTouches[0] : event;
    openQuick(point, { node: state.fromNode.id, port: state.fromHandle.id.slice(2) });
  };
  const openQuick = (point, from = null) => {
    const area = root.getBoundingClientRect();
    const at = { x: Math.min(point.clientX - area.left, area.width - 290), y: Math.min(point.clientY - area.top, area.height - 260) };
    setQuick({ at, place: flow.screenToFlowPosition({ x: point.clientX, y: point.clientY }), from });
  };
  const pick = (contract) => {
    const { place, from } = quick;
    const port = contract.inputs[0]?.key;
    const join = from && port ? { src: `${from.node}.${from.port}`, port } : {};
    setQuick(null);
    add(contract.id, place, join);
  };

  return (
    <Marks.Provider value={marks}>
      <Toolbar name={document.name} file={file} replica={{ undo: replica.undo, redo: replica.redo }} selected={chosen.length + chosenLinks.length}
        problems={problems} latency={latency} run={(action) => actions[action]()} />
      <FileLine file={file} ask={ask} link={link} />
      <div className="columns">
        {panes.catalogue && <Catalogue catalogue={catalogue} onAdd={add} />}
        <div className="canvas" onDragOver={(event) => event.preventDefault()} onDrop={(event) => {
          const type = event.dataTransfer.getData(DRAG);
          if (!type) return;
          event.preventDefault();
          add(type, flow.screenToFlowPosition({ x: event.clientX - 60, y: event.clientY - 16 }));
        }} onDoubleClick={(event) => event.target.classList.contains('react-flow__pane') && openQuick(event)}>
          <ReactFlow nodes={nodes} edges={links} nodeTypes={boxTypes} edgeTypes={lineTypes} fitView fitViewOptions={{ padding: AROUND, maxZoom: 1.15 }}
            minZoom={0.08} maxZoom={2.5} deleteKeyCode={null} zoomOnDoubleClick={false} selectionMode={SelectionMode.Partial}
            selectionKeyCode="Shift" multiSelectionKeyCode={['Meta', 'Control', 'Shift']} connectionRadius={26} onlyRenderVisibleElements={nodes.length > 300}
            proOptions={{ hideAttribution: true }}
            onNodesChange={(changes) => setNodes((before) => applyNodeChanges(changes, before))}
            onEdgesChange={(changes) => setLinks((before) => applyEdgeChanges(changes, before))}
            onNodeDragStop={(_, __, dragged) => edit([{ op: 'move', places: placesOf(dragged, document) }])}
            onNodeDoubleClick={(_, box) => box.id.startsWith('fold:') && fold(box.id.slice(5), [])}
            isValidConnection={valid} onConnect={(drawn) => edit([connection(drawn)])} onConnectEnd={dropped}
            onReconnect={(old, drawn) => edit([{ op: 'remove', links: [old.id] }, connection(drawn, carried(old.data.link, drawn.targetHandle.startsWith('p:')))])}
            onInit={onPaint}>
            <Background gap={22} size={1.2} />
            <Controls showInteractive={false} orientation="horizontal" position="bottom-center" />
            {root.clientWidth > 600 && <MiniMap pannable zoomable nodeColor={(box) => `hsl(${hue(box.data.contract?.group ?? 'fold')} 45% 55%)`} nodeStrokeWidth={0} />}
            <Level root={root} />
          </ReactFlow>
          {!nodes.length && <div className="hint">Drag a node in from the left, or double-click here.</div>}
          <Problems problems={problems} focus={focus} edit={edit} />
        </div>
        {chosen.length + chosenLinks.length > 0 && (
          <Inspector document={document} contracts={contracts} names={chosen} links={chosenLinks} badges={badges} edit={edit} run={(action) => actions[action]()} focus={focus} />
        )}
      </div>
      {quick && <QuickAdd catalogue={quick.from ? catalogue.filter((contract) => contract.inputs.length) : catalogue} at={quick.at} onPick={pick} onClose={() => setQuick(null)} />}
      {code !== null && <Code text={code} onClose={close(setCode)} />}
      {files && <Files key={files} mode={files} name={document.name} seconds={model.get('seconds')} ask={ask} onClose={close(setFiles)} />}
    </Marks.Provider>
  );
}

/** Sets the zoom level for the style sheet, so that labels stay readable without drawing boxes again. */
function Level({ root }) {
  const zoom = useStore((state) => Math.round(state.transform[2] * 50) / 50);
  useEffect(() => {
    root.dataset.level = zoom < FAR ? 'far' : 'near';
    root.style.setProperty('--zoom', zoom);
  }, [root, zoom]);
  return null;
}

/** Keep the trait `selection` and the selection of this view equal. */
function useSelection(model, names, select) {
  const key = names.join('\n');
  const now = useRef(key);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the names
  useEffect(() => {
    now.current = key;
    if (key !== model.get('selection').join('\n')) {
      model.set('selection', names);
      model.save_changes();
    }
  }, [key, model]);
  useEffect(() => {
    const heard = () => model.get('selection').join('\n') !== now.current && select(model.get('selection'));
    model.on('change:selection', heard);
    return () => model.off('change:selection', heard);
  }, [model, select]);
}

function valid({ source, target, sourceHandle, targetHandle }) {
  return Boolean(source && target && sourceHandle?.startsWith('o:') && /^[ip]:./.test(targetHandle ?? ''));
}

function placesOf(moved, document) {
  const places = {};
  for (const box of moved) {
    if (!box.id.startsWith('fold:')) {
      places[box.id] = [Math.round(box.position.x), Math.round(box.position.y)];
      continue;
    }
    const names = document.folds[box.id.slice(5)] ?? [];
    const x = Math.min(...names.map((name) => document.places[name][0]));
    const y = Math.min(...names.map((name) => document.places[name][1]));
    for (const name of names) {
      const [oldX, oldY] = document.places[name];
      places[name] = [Math.round(oldX + box.position.x - x), Math.round(oldY + box.position.y - y)];
    }
  }
  return places;
}

function freeTitle(folds) {
  let count = 1;
  while (folds[`group ${count}`]) count += 1;
  return `group ${count}`;
}
