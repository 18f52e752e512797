// Walks the items of a window inside QML's own engine (Python must never hold them) and tells what is ill laid out.
(function (window) {
    const found = [];

    function kind(item) {
        return item.toString().split("(")[0];
    }

    // what of an item can be seen: its rectangle cut by every clipping ancestor
    function visibleRect(item) {
        const at = item.mapToItem(window.contentItem, 0, 0);
        let rect = { x: at.x, y: at.y, right: at.x + item.width, bottom: at.y + item.height };
        for (let parent = item.parent; parent; parent = parent.parent) {
            if (!parent.clip)
                continue;
            const place = parent.mapToItem(window.contentItem, 0, 0);
            rect = { x: Math.max(rect.x, place.x), y: Math.max(rect.y, place.y),
                right: Math.min(rect.right, place.x + parent.width), bottom: Math.min(rect.bottom, place.y + parent.height), clipped: true };
        }
        return rect;
    }

    function checkText(item) {
        if (item.text === undefined || item.contentWidth === undefined || item.text === "" || item.font === undefined)
            return;
        const name = kind(item) + " “" + String(item.text).slice(0, 24) + "”";
        if (item.truncated && item.elide === 0)
            found.push(name + " is cut off");
        if (item.contentWidth > item.width + 1.5 && item.wrapMode !== undefined && item.clip === false)
            found.push(name + " is wider than its place: " + Math.round(item.contentWidth) + " in " + Math.round(item.width));
        if (item.contentHeight > item.height + 1.5 && item.clip === false)
            found.push(name + " is higher than its place: " + Math.round(item.contentHeight) + " in " + Math.round(item.height));
        const size = item.fontInfo !== undefined ? item.fontInfo.pixelSize : item.font.pixelSize;
        if (size < 26)
            found.push(name + " is smaller than 26 px");
        const rect = visibleRect(item);
        if (!rect.clipped && (rect.x < -1 || rect.y < -1 || rect.right > window.width + 1 || rect.bottom > window.height + 1))
            found.push(name + " leaves the screen");
        // text inside a coloured box must stay in it
        for (let box = item.parent; box; box = box.parent) {
            if (kind(box).startsWith("QQuickRectangle") || box.radius !== undefined && box.color !== undefined) {
                const at = item.mapToItem(box, 0, 0);
                if (at.x < -1 || at.y < -1 || at.x + item.contentWidth > box.width + 1 || at.y + item.contentHeight > box.height + 1)
                    found.push(name + " leaves its box");
                break;
            }
            if (box.clip)
                break;
        }
    }

    function walk(item) {
        if (!item.visible || item.opacity === 0)
            return;
        checkText(item);
        for (let number = 0; number < item.children.length; number++)
            walk(item.children[number]);
    }

    walk(window.contentItem);
    return found;
})
